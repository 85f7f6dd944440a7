import type { DeviceCapabilities } from '../../../protocol/wire/operations.ts';
import { lookup } from '../../components/i18n.ts';

/** `maxFrameRate` → `Max frame rate`: what a device has and this language has no word for yet is still shown. */
const spelled = (name: string): string =>
  name.charAt(0).toUpperCase() + name.slice(1).replace(/([a-z])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);

export const sectionWord = (name: string): string => lookup(`operations.section.${name}`) ?? spelled(name);
export const listWord = (name: string): string => lookup(`operations.list.${name}`) ?? spelled(name);
export const actionWord = (name: string): string => lookup(`operations.action.${name}`) ?? spelled(name);
/** `direction2`: of the second line. */
export function fieldWord(name: string): string {
  const known = lookup(`operations.field.${name}`);
  const [, of = name, n] = /^(.+?)(\d+)$/.exec(name) ?? [];
  return known ?? (n ? `${lookup(`operations.field.${of}`) ?? spelled(of)} ${n}` : spelled(name));
}
/** The field's own standard words (`H.264`, `CBR`) stay as they are where there is none of ours. */
export const optionWord = (value: string): string => lookup(`operations.option.${value.replaceAll('.', '_')}`) ?? value;

export const isUnverified = (capabilities: DeviceCapabilities, what: string): boolean =>
  capabilities.unverified.includes(what);
