/**
 * The short serial (SN-09): the 9 characters that end at the last digit. `DS-…T123T45R6UVWXYZ` gives `T123T45R6`; what has
 * no digit or is shorter stays as it is.
 */
export function shortSerial(serial: string): string {
  const trimmed = serial.trim().toUpperCase();
  if (trimmed.length <= 9) return trimmed;
  const last = trimmed.search(/\d\D*$/);
  return last < 0 ? trimmed : trimmed.slice(Math.max(0, last - 8), last + 1);
}

/** Whether two serials, long or short, name one device. Empty ones name none. */
export const sameSerial = (a: string, b: string): boolean => shortSerial(a) !== '' && shortSerial(a) === shortSerial(b);
