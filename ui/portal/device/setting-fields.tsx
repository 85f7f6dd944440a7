import { useId, useState } from 'preact/hooks';
import type { FieldValue, Region, SettingField } from '../../../protocol/wire/operations.ts';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Lines } from './lines.tsx';
import { Regions } from './regions.tsx';
import { Week } from './week.tsx';
import { fieldWord, optionWord } from './words.ts';

const range = (field: Extract<SettingField, { kind: 'number' }>): string => {
  const limits = field.min !== null && field.max !== null ? `${field.min}–${field.max}` : '';
  return [limits, field.unit].filter(Boolean).join(' ');
};

/** One setting as an input; what cannot be changed as text. */
export function SettingInput({ field, picture }: { field: SettingField; picture: string | null }) {
  const id = useId();
  const label = fieldWord(field.name);
  if (field.kind === 'regions') return <Regions name={field.name} label={label} field={field} picture={picture} />;
  if (field.kind === 'lines') return <Lines name={field.name} label={label} field={field} picture={picture} />;
  if (field.kind === 'week') return <Week name={field.name} label={label} field={field} />;
  if (
    field.readOnly ||
    (field.kind !== 'secret' && field.value === null && field.kind !== 'text' && field.kind !== 'choice')
  )
    return (
      <p>
        <span class="font-semibold">{label}</span>
        <br />
        <span>{shown(field)}</span>
      </p>
    );
  if (field.kind === 'choice') {
    const options =
      field.value === null || field.options.includes(field.value) ? field.options : [field.value, ...field.options];
    return (
      <Choice
        label={label}
        name={field.name}
        value={field.value ?? undefined}
        options={options.map((option) => [option, optionWord(option)] as const)}
      />
    );
  }
  if (field.kind === 'boolean')
    return (
      <label class="flex min-h-11 items-center gap-3 font-semibold">
        <input type="checkbox" class="checkbox" name={field.name} value="true" defaultChecked={field.value === true} />
        {label}
      </label>
    );
  const hint = field.kind === 'number' ? range(field) : field.kind === 'secret' ? secretHint(field.set) : '';
  return (
    <div>
      <label for={id} class="font-semibold">
        {label}
      </label>
      {hint && (
        <p id={`${id}-hint`} class="muted small">
          {hint}
        </p>
      )}
      {field.kind === 'number' ? (
        <input
          id={id}
          name={field.name}
          type="number"
          class="input mt-1"
          min={field.min ?? undefined}
          max={field.max ?? undefined}
          step="any"
          defaultValue={String(field.value)}
          aria-describedby={hint ? `${id}-hint` : undefined}
        />
      ) : (
        <input
          id={id}
          name={field.name}
          // Preact's types want one variant of input each.
          type={(field.kind === 'secret' ? 'password' : 'text') as 'text'}
          class="input mt-1"
          maxLength={field.maxLength}
          autoComplete={field.kind === 'secret' ? 'new-password' : 'off'}
          spellcheck={false}
          defaultValue={field.kind === 'text' ? (field.value ?? '') : ''}
          aria-describedby={hint ? `${id}-hint` : undefined}
        />
      )}
    </div>
  );
}

const secretHint = (set: boolean | null): string =>
  set === null ? t('operations.secretUnknown') : t(set ? 'operations.secretSet' : 'operations.secretUnset');

function shown(field: SettingField): string {
  if (field.kind === 'secret') return secretHint(field.set);
  if (field.kind === 'regions' || field.kind === 'lines') return String(field.value.length);
  return (
    valueWord(field.value) + (field.kind === 'number' && field.unit && field.value !== null ? ` ${field.unit}` : '')
  );
}

/** A value of a list or a field for a person. */
export function valueWord(value: FieldValue): string {
  if (value === null || value === '') return t('state.unknown');
  if (typeof value === 'boolean') return t(value ? 'operations.yes' : 'operations.no');
  if (Array.isArray(value)) return t('operations.regions', { count: value.length });
  return typeof value === 'string' ? optionWord(value) : String(value);
}

/** What was changed, compared with what the device said; an empty secret stays as it is. */
export function changes(fields: SettingField[], form: Record<string, string>): Record<string, FieldValue> {
  const set: Record<string, FieldValue> = {};
  for (const field of fields) {
    if (field.readOnly) continue;
    const typed = form[field.name];
    if (field.kind === 'boolean') {
      const on = typed === 'true';
      if (field.value !== null && on !== field.value) set[field.name] = on;
    } else if (typed === undefined) continue;
    else if (field.kind === 'number') {
      if (typed !== '' && Number(typed) !== field.value) set[field.name] = Number(typed);
    } else if (field.kind === 'secret') {
      if (typed !== '') set[field.name] = typed;
    } else if (field.kind === 'regions' || field.kind === 'lines') {
      if (typed !== JSON.stringify(field.value)) set[field.name] = JSON.parse(typed) as Region[];
    } else if (typed !== (field.value ?? '')) set[field.name] = typed;
  }
  return set;
}

/** Remembers what the form was made of, so that a write that changed other fields too makes a fresh one. */
export function useVersion(): [number, () => void] {
  const [version, set] = useState(0);
  return [version, () => set((n) => n + 1)];
}
