import { z } from 'zod';
import { shortSerial } from './serial.ts';

/** What is wrong with one of several devices that are set up together (INIT-06). Warnings: none of them forbids anything. */
export const BatchIssue = z.enum(['same-address', 'same-serial', 'weak-firmware', 'locked', 'other-subnet']);
export type BatchIssue = z.infer<typeof BatchIssue>;

/** Firmware of devices that speak ISAPI, built before this day, may let strangers run commands (CVE-2021-36260). */
const FIXED_BUILD = 210628;

/** Whether its build date is before that of the repaired firmware: `V5.6.2 build 190701`. Unknown dates are not blamed. */
export function isWeakFirmware(firmware: string | null): boolean {
  const build = /build\s*(\d{6})\b/i.exec(firmware ?? '')?.[1];
  return build !== undefined && Number(build) < FIXED_BUILD;
}

/** What is wrong with each device of a list, by its place in it. */
export function batchIssues(
  devices: {
    serial: string;
    firmware: string | null;
    locked: boolean;
    activated: boolean | null;
    addressConflict: boolean;
    reachable?: boolean;
  }[],
): BatchIssue[][] {
  const serials = new Map<string, number>();
  for (const { serial } of devices) {
    const short = shortSerial(serial);
    if (short) serials.set(short, (serials.get(short) ?? 0) + 1);
  }
  return devices.map((device) => {
    const issues: BatchIssue[] = [];
    if (device.addressConflict) issues.push('same-address');
    if ((serials.get(shortSerial(device.serial)) ?? 0) > 1) issues.push('same-serial');
    if (isWeakFirmware(device.firmware)) issues.push('weak-firmware');
    if (device.locked) issues.push('locked');
    if (device.reachable === false) issues.push('other-subnet');
    return issues;
  });
}
