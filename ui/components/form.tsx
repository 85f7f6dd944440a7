import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { ApiError } from './http.ts';
import { t } from './i18n.ts';
import { issueText } from './issue.ts';

interface FieldProps {
  label: string;
  name: string;
  hint?: ComponentChildren;
  /** The failed request: its message for this field is shown here. */
  error?: ApiError | null;
  type?: 'text' | 'email' | 'password';
  /** What stands in it at first. */
  value?: string;
  required?: boolean;
  autoComplete?: string;
  inputMode?: 'numeric' | 'text' | 'email' | 'tel';
  mono?: boolean;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  onInput?: (value: string) => void;
}

/** One labelled input with hint and error, tied together for screen readers. */
export function Field({ label, name, hint, error, type = 'text', mono, value, onInput, ...input }: FieldProps) {
  const id = useId();
  const message = error?.fields.find((field) => field.path === name || field.path.endsWith(`.${name}`))?.message;
  const described = [hint && `${id}-hint`, message && `${id}-error`].filter(Boolean).join(' ');
  return (
    <div>
      <label for={id} class="font-semibold">
        {label}
        {!input.required && <span class="muted font-normal"> {t('form.optional')}</span>}
      </label>
      {hint && (
        <p id={`${id}-hint`} class="muted small">
          {hint}
        </p>
      )}
      <input
        {...input}
        id={id}
        name={name}
        // Preact's types want one variant of input each.
        type={type as 'text'}
        defaultValue={value}
        class={`input mt-1 ${mono ? 'mono' : ''}`}
        autoCapitalize={mono ? 'characters' : 'off'}
        spellcheck={false}
        aria-describedby={described || undefined}
        aria-invalid={message ? 'true' : undefined}
        onInput={(event) => onInput?.(event.currentTarget.value)}
      />
      {message && (
        <p id={`${id}-error`} class="small text-error">
          {issueText(message)}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  name: string;
  options: readonly (readonly [value: string, text: string, disabled?: boolean])[];
  value?: string;
  hint?: string;
  onChange?: (value: string) => void;
}

/** One of a few. */
export function Choice({ label, name, options, value, hint, onChange }: ChoiceProps) {
  const id = useId();
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
      <select
        id={id}
        name={name}
        class="select mt-1"
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onChange?.(event.currentTarget.value)}
      >
        {options.map(([key, text, disabled]) => (
          <option key={key} value={key} selected={key === value} disabled={disabled}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A form that gives its fields as strings and keeps what was typed when sending fails. */
export function Form({
  onSubmit,
  children,
  label,
}: {
  onSubmit: (fields: Record<string, string>) => void;
  children: ComponentChildren;
  label?: string;
}) {
  return (
    <form
      aria-label={label}
      class="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        const data = new FormData(event.currentTarget);
        onSubmit(Object.fromEntries([...data].map(([name, value]) => [name, String(value)])));
      }}
    >
      {children}
    </form>
  );
}

/** The end of a form on a page of its own: send it, or go back to `cancel`. */
export function SubmitOrCancel({ cancel, ...submit }: Parameters<typeof Submit>[0] & { cancel: string }) {
  return (
    <div class="flex flex-wrap items-center gap-4">
      <Submit {...submit} />
      <a class="link" href={cancel}>
        {t('action.cancel')}
      </a>
    </div>
  );
}

/** The button that sends a form: says what it does while it does it, and stays focusable meanwhile. */
export function Submit({ busy, children, doing }: { busy: boolean; children: ComponentChildren; doing: string }) {
  return (
    <button type="submit" class="btn btn-primary" aria-disabled={busy}>
      {busy ? doing : children}
    </button>
  );
}
