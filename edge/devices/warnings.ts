import type { DeviceHealth } from '../../protocol/wire/uplink.ts';
import type { Warnables } from '../warnables.ts';
import type { Refusal } from './login-guard.ts';
import type { DeviceConfig } from './types.ts';

export type DeviceState = DeviceHealth['state'];

/** States that exclude each other: at most one of these stands for a device. */
const STATE_CODES = [
  'device-offline',
  'device-login-refused',
  'device-locked',
  'device-not-activated',
  'device-replaced',
  'device-certificate-changed',
  'device-https-only',
] as const;
const OTHER_CODES = [
  'device-no-channels',
  'device-no-events',
  'device-events-unreadable',
  'device-clock-wrong',
  'device-events-lost',
] as const;
const DRIFT_MS = 60_000;

/** What a person is told of devices: what happened, to which one, and what to do. */
export class DeviceWarnings {
  readonly #warnables: Pick<Warnables, 'raise' | 'clear'>;

  constructor(warnables: Pick<Warnables, 'raise' | 'clear'>) {
    this.#warnables = warnables;
  }

  offline(d: DeviceConfig, why: string): void {
    this.#state(
      d,
      'device-offline',
      'error',
      `${called(d)} is offline. ${why} Check its power and network cable; it is tried again by itself.`,
    );
  }

  refused(d: DeviceConfig, refusal: Refusal): void {
    const code = refusal.locked ? 'device-locked' : 'device-login-refused';
    const who = refusal.by === 'rtsp' ? `${called(d)} (asked for video)` : called(d);
    this.#state(
      d,
      code,
      'error',
      `${who}: ${refusal.text} Nothing more is tried, so that it is not locked out. Enter the right user name and password.`,
    );
  }

  locked(d: DeviceConfig, why: string, unlockInMs: number): void {
    const text = `${called(d)}: ${why} One login is tried in ${Math.ceil(unlockInMs / 60_000)} min. Find out what uses a wrong password for it.`;
    this.#state(d, 'device-locked', 'error', text);
  }

  notActivated(d: DeviceConfig): void {
    this.#state(
      d,
      'device-not-activated',
      'error',
      `${called(d)} is not activated: it has no password yet, perhaps after a factory reset. Activate it and enter its credentials.`,
    );
  }

  replaced(d: DeviceConfig, other: string | null): void {
    const who = other ? `another device (${other.slice(0, 64)}) answers` : 'another device may answer';
    this.#state(
      d,
      'device-replaced',
      'error',
      `At the address of ${called(d)} ${who}, and it is found nowhere else; no credentials are sent there. Connect the device again, or add the new one.`,
    );
  }

  /** With the certificate that it shows; nothing was sent to it. */
  otherCertificate(d: DeviceConfig, shown: string): void {
    const what = d.tls
      ? `The certificate of ${called(d)} has changed since it was added. Nothing is sent to it: somebody may stand in between. If the device was reset or updated, compare and accept the new one (${brief(shown)}) on its page.`
      : `${called(d)} takes no HTTP any more, and offers HTTPS. Look at its certificate (${brief(shown)}) on its page and accept it.`;
    this.#state(d, d.tls ? 'device-certificate-changed' : 'device-https-only', 'error', what);
  }

  /** It answered and is who it should be. `driftMs` null: unknown. */
  reached(d: DeviceConfig, channelsFailed: string | null, driftMs: number | null): void {
    for (const code of STATE_CODES) this.#warnables.clear(code, subject(d));
    this.#when(
      channelsFailed !== null,
      d,
      'device-no-channels',
      `${called(d)} does not list its video channels. ${channelsFailed} Nothing can be recorded from it.`,
    );
    const wrong = driftMs !== null && Math.abs(driftMs) > DRIFT_MS;
    const far = wrong ? `${Math.round(Math.abs(driftMs) / 60_000)} min ${driftMs > 0 ? 'ahead' : 'behind'}` : '';
    this.#when(
      wrong,
      d,
      'device-clock-wrong',
      `The clock of ${called(d)} is ${far}. Events carry the box's time; set a time server on the device so that its own recordings agree.`,
    );
  }

  listening(d: DeviceConfig): void {
    this.#warnables.clear('device-no-events', subject(d));
  }

  noEvents(d: DeviceConfig, why: string): void {
    this.#when(
      true,
      d,
      'device-no-events',
      `${called(d)} answers, but gives no events. ${why} Close other programs that listen to it, or check the rights of the user.`,
    );
  }

  unreadable(d: DeviceConfig, now: boolean): void {
    this.#when(
      now,
      d,
      'device-events-unreadable',
      `${called(d)} sends events that cannot be read; the others are taken. Update its firmware.`,
    );
  }

  recorded(d: DeviceConfig): void {
    this.#warnables.clear('device-events-lost', subject(d));
  }

  notRecorded(d: DeviceConfig, why: string): void {
    this.#warnables.raise(
      'device-events-lost',
      subject(d),
      'error',
      `Events of ${called(d)} could not be written and are lost: ${why}. Check the box's disk.`,
    );
  }

  /** The device is no longer looked after. */
  forget(d: DeviceConfig): void {
    for (const code of [...STATE_CODES, ...OTHER_CODES]) this.#warnables.clear(code, subject(d));
  }

  #state(d: DeviceConfig, code: (typeof STATE_CODES)[number], severity: 'error' | 'warning', text: string): void {
    for (const other of STATE_CODES) if (other !== code) this.#warnables.clear(other, subject(d));
    this.#warnables.raise(code, subject(d), severity, text);
  }

  #when(condition: boolean, d: DeviceConfig, code: (typeof OTHER_CODES)[number], text: string): void {
    if (condition) this.#warnables.raise(code, subject(d), 'warning', text);
    else this.#warnables.clear(code, subject(d));
  }
}

/** As much of a fingerprint as a person compares at a glance. */
const brief = (fingerprint: string): string => `${fingerprint.slice(0, 23)}…`;
const subject = (d: DeviceConfig): string => `device:${d.id}`;
const called = (d: DeviceConfig): string => `${d.name} (${d.host})`;
