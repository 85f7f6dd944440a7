import type { BatchIssue } from '../../protocol/wire/batch-issues.ts';
import type { StepState } from '../../protocol/wire/jobs.ts';
import type { IsapiFailure, Result } from '../isapi/answer.ts';
import { isAbsent } from '../isapi/isapi-device.ts';
import type { DiskOutcome, Outcome } from './hands.ts';

/* What became of a step, in words. */

export interface End {
  state: Extract<StepState, 'done' | 'skipped' | 'warning' | 'failed'>;
  code?: string | null;
  text?: string | null;
}

/** What a device does not have is left out; anything else that it refuses is a failure. */
export function said(failure: IsapiFailure): End {
  const { code, text } = failure;
  if (code === 'not-found' || isAbsent(failure)) return { state: 'skipped', code: 'not-supported', text };
  return { state: 'failed', code, text };
}

const ISSUES: Record<BatchIssue, string> = {
  'same-address': 'Another device has the same address: change one of them.',
  'same-serial': 'Another device says the same serial number: one of them may be a copy.',
  'weak-firmware': 'Its firmware lets strangers run commands (CVE-2021-36260): upgrade it.',
  locked: 'It is locked after wrong passwords.',
  'other-subnet': 'Its address belongs to another network.',
};

/** INIT-06: warnings only. */
export function checkBatch(issues: readonly BatchIssue[]): End {
  if (issues.length === 0) return { state: 'done' };
  return { state: 'warning', code: issues[0] as string, text: issues.map((issue) => ISSUES[issue]).join(' ') };
}

/** INIT-12. `newest` null: nothing is known of its model. */
export function readFirmware(present: string | null, newest: string | null): End {
  if (newest === null)
    return {
      state: 'skipped',
      code: 'no-catalogue',
      text: present,
    };
  if (present !== null && version(present) !== '' && version(present) === version(newest))
    return { state: 'done', text: `${present} is the newest one known here.` };
  return {
    state: 'warning',
    code: 'firmware-update',
    text: `It runs ${present ?? 'unknown firmware'}; ${newest} is there.`,
  };
}

/** `V5.7.15 build 240201`, without the words. */
const version = (firmware: string): string =>
  [...firmware.matchAll(/\d+(?:\.\d+)*/g)].map(([number]) => number).join(' ');

/** INIT-14: what was formatted, and what was left alone because it may hold something. */
export function readDiskOutcomes(disks: readonly DiskOutcome[]): End {
  if (disks.length === 0) return { state: 'skipped', code: 'no-disk' };
  const of = (result: DiskOutcome['result']) => disks.filter((d) => d.result === result);
  const [made, kept, failed] = [of('formatted'), of('kept'), of('failed')];
  const parts = [
    made.length > 0 ? `Initialised: ${made.map((d) => d.disk).join(', ')}.` : '',
    kept.length > 0 ? `Left as they are: ${kept.map((d) => `${d.disk} (${d.text ?? 'not new'})`).join(', ')}.` : '',
    ...failed.map((d) => `${d.disk} could not be initialised: ${d.text ?? 'no reason given'}`),
  ];
  const text = parts.filter((part) => part !== '').join(' ');
  if (failed.length > 0) return { state: 'failed', code: 'disk-failed', text };
  return made.length > 0 ? { state: 'done', code: 'initialised', text } : { state: 'done', code: 'kept', text };
}

/** The same on every channel of a device; what did not stick on one is told with its number. */
export async function onEachChannel(
  channels: readonly number[],
  fn: (channel: number) => Promise<Result<Outcome>>,
): Promise<End> {
  if (channels.length === 0) return { state: 'skipped', code: 'no-channels' };
  const failed: string[] = [];
  const done: string[] = [];
  const absent: string[] = [];
  let reboot = false;
  const named = (channel: number, text: string) => (channels.length > 1 ? `Channel ${channel}: ${text}` : text);
  for (const channel of channels) {
    const result = await fn(channel);
    if (!result.ok) {
      (said(result).state === 'skipped' ? absent : failed).push(named(channel, result.text));
      // What cannot be reached any more is not asked channel by channel.
      if (result.code !== 'device-error' && result.code !== 'not-found') break;
      continue;
    }
    reboot ||= result.value.rebootRequired;
    failed.push(...result.value.failed.map((text) => named(channel, text)));
    done.push(...result.value.done.map((text) => named(channel, text)));
  }
  if (failed.length > 0) return { state: 'failed', code: 'not-kept', text: failed.join('; ') };
  if (absent.length === channels.length) return { state: 'skipped', code: 'not-supported', text: absent[0] ?? null };
  if (reboot) return { state: 'warning', code: 'reboot-required', text: 'It holds after its next restart.' };
  return { state: 'done', code: done.length === 0 ? 'unchanged' : null, text: done.join('; ') || null };
}
