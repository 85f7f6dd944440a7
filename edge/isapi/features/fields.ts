import type { SettingField } from '../../../protocol/wire/operations.ts';

/* Fields as features tell them (protocol/wire/operations.ts), each in one line. */
type ReadOnly = { readOnly?: true };
export const readOnly = { readOnly: true } as const;

export const bool = (name: string, value: boolean | null, more: ReadOnly = {}): SettingField => ({
  name,
  kind: 'boolean',
  value,
  ...more,
});
export const num = (
  name: string,
  value: number | null,
  [min, max]: [number | null, number | null],
  unit: string | null = null,
  more: ReadOnly = {},
): SettingField => ({ name, kind: 'number', value, min, max, unit, ...more });
/** What the device has now is always among the options. */
export const choice = (
  name: string,
  value: string | null,
  options: readonly string[],
  more: ReadOnly = {},
): SettingField => ({
  name,
  kind: 'choice',
  value: value === '' ? null : value,
  options: [...new Set([...options, ...(value ? [value] : [])])],
  ...more,
});
export const words = (name: string, value: string | null, maxLength: number, more: ReadOnly = {}): SettingField => ({
  name,
  kind: 'text',
  value,
  maxLength,
  ...more,
});
export const secret = (name: string, set: boolean | null, maxLength: number): SettingField => ({
  name,
  kind: 'secret',
  set,
  maxLength,
});

/** `true`/`false` as devices write them; null: neither. */
export const yesNo = (value: string): boolean | null => (/^true$/i.test(value) ? true : value === '' ? null : false);

/** The `opt` list of an element of a capability document, which is read as it is written. */
export function optionsOf(source: string, name: string): string[] {
  const found = new RegExp(`<(?:[\\w.-]+:)?${name}\\b[^<>]*?\\bopt\\s*=\\s*"([^"]{0,4096})"`).exec(source);
  return found
    ? found[1]!
        .split(',')
        .map((o) => o.trim())
        .filter(Boolean)
    : [];
}
