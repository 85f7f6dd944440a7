import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { siteKeyFromText } from '../../protocol/codec/object-cipher.ts';
import {
  type DesiredArcAccount,
  type DesiredDevice,
  type DesiredRecording,
  DesiredState,
  type DesiredStorage,
  type ReportedState,
} from '../../protocol/wire/desired.ts';
import type { SealedSecret } from '../../protocol/wire/secret.ts';
import type { DeviceConfig } from '../devices/types.ts';
import { writePrivateFile } from '../identity/identity.ts';
import type { PanelConfig } from '../panel-in/types.ts';
import type { Warnables } from '../warnables.ts';

/** What could not be applied: `id` of the item, a stable code, and words for a person. */
export interface ApplyError {
  id: string;
  code: string;
  text: string;
}
export type ArcAccountConfig = Omit<DesiredArcAccount, 'key'> & { key: Buffer | null };
/** `key`: what the fragments are encrypted with. */
export type RecordingConfig = Omit<DesiredRecording, 'key'> & { key: { id: string; secret: Buffer } | null };

export interface Appliers {
  devices: (items: DeviceConfig[]) => ApplyError[];
  /** Those of the devices that send to the box. */
  panels: (items: PanelConfig[]) => ApplyError[];
  recording: (items: RecordingConfig[]) => ApplyError[];
  /** `unreadable`: accounts that there are, but whose key cannot be opened. */
  arc: (items: ArcAccountConfig[], unreadable: string[]) => ApplyError[];
  /** null: nothing is wished. */
  storage: (item: DesiredStorage | null) => void;
}

type SectionName = keyof ReportedState['sections'];
const SUBJECTS = { devices: 'device', recording: 'recording', arc: 'arc', storage: 'box' } as const;

/**
 * The relay's wishes for this box, kept on disk so that the box does the same without the relay. Secrets in the file stay
 * sealed to the box's key. Sections are applied one by one; an item that cannot be applied is left out and reported.
 */
export class DesiredConfig {
  readonly #file: string;
  readonly #unseal: (secret: SealedSecret, context: string) => string;
  readonly #appliers: Appliers;
  readonly #log: Logger;
  readonly #warnables: Warnables;
  readonly #warned = new Map<SectionName, Set<string>>();
  #reported: ReportedState = { version: 0, sections: {} as ReportedState['sections'] };

  constructor(o: {
    dir: string;
    unseal: (secret: SealedSecret, context: string) => string;
    appliers: Appliers;
    log: Logger;
    warnables: Warnables;
  }) {
    this.#file = join(o.dir, 'desired.json');
    this.#unseal = o.unseal;
    this.#appliers = o.appliers;
    this.#log = o.log.child({ module: 'config' });
    this.#warnables = o.warnables;
  }

  /** Applies what the relay wished last. */
  start(): void {
    if (!existsSync(this.#file)) return;
    try {
      this.#apply(DesiredState.parse(JSON.parse(readFileSync(this.#file, 'utf8'))));
    } catch (error) {
      this.#log.error({ err: error }, 'the stored configuration cannot be read; the relay sends it again');
      this.#warnables.raise(
        'configuration-unreadable',
        'box',
        'error',
        'The stored configuration is damaged. The box does nothing until the relay has sent it again.',
      );
    }
  }

  get reported(): ReportedState {
    return this.#reported;
  }

  /** Takes over a document of the relay: on disk first, then applied. Returns what to report. */
  take(state: DesiredState): ReportedState {
    const same = this.#reported.version === state.version && Object.keys(this.#reported.sections).length > 0;
    if (!same) {
      try {
        writePrivateFile(this.#file, JSON.stringify(state));
      } catch (error) {
        // It is applied all the same: the relay sends it again after a restart.
        this.#log.error({ err: error }, 'the configuration could not be stored');
      }
      this.#apply(state);
    }
    this.#warnables.clear('configuration-unreadable', 'box');
    return this.#reported;
  }

  #apply(state: DesiredState): void {
    const { devices, recording, arc, storage } = state.sections;
    this.#section('devices', devices, (items: DesiredDevice[], errors) => {
      const opened = this.#opened(items, errors, (d) => ({
        ...d,
        password: this.#unseal(d.password, `device:${d.id}`),
      }));
      const spoken = opened.flatMap(({ kind, panel: _, ...d }) => (kind === 'dc09' ? [] : [{ ...d, kind }]));
      const panels = opened.flatMap(({ id, name, password, panel }) =>
        panel ? [{ id, name, ...panel, key: password === '' ? null : Buffer.from(password, 'hex') }] : [],
      );
      return [...this.#appliers.devices(spoken), ...this.#appliers.panels(panels)];
    });
    this.#section('recording', recording, (items: DesiredRecording[], errors) => {
      // What cannot be encrypted as wished is not recorded: in clear it would never be taken back.
      const named = items.map((r) => ({ ...r, id: `${r.deviceId}/${r.channel}` }));
      const text =
        'The key for its footage was sealed to another box: it is not recorded until the relay has sent a new one.';
      const open = ({ id: _, key, ...r }: (typeof named)[number]) => ({ ...r, key: key && this.#siteKey(key) });
      const opened = this.#opened(named, errors, open, text);
      return this.#appliers.recording(opened);
    });
    this.#section('storage', storage, (items: DesiredStorage[]) => {
      this.#appliers.storage(items[0] ?? null);
      return [];
    });
    this.#section('arc', arc, (items: DesiredArcAccount[], errors) => {
      const opened = this.#opened(items, errors, (a) => ({
        ...a,
        key: a.key && Buffer.from(this.#unseal(a.key, `arc:${a.id}`), a.keyFormat === 'hex' ? 'hex' : 'latin1'),
      }));
      return this.#appliers.arc(
        opened,
        errors.map(({ id }) => id),
      );
    });
    this.#reported = { version: state.version, sections: this.#reported.sections };
  }

  #siteKey({ id, secret }: NonNullable<DesiredRecording['key']>): NonNullable<RecordingConfig['key']> {
    return { id, secret: siteKeyFromText(this.#unseal(secret, `recording:${id}`)) };
  }

  #section<T>(
    name: SectionName,
    section: { version: number; items: T[] },
    apply: (items: T[], errors: ApplyError[]) => ApplyError[],
  ): void {
    const errors: ApplyError[] = [];
    try {
      errors.push(...apply(section.items, errors));
    } catch (error) {
      this.#log.error({ err: error, section: name }, 'a section of the configuration could not be applied');
      errors.push({ id: name, code: 'internal-error', text: (error as Error).message.slice(0, 512) });
    }
    this.#reported.sections[name] = { version: section.version, errors };
    this.#warn(name, errors);
  }

  /** A person learns which item is not followed, and why, where the box's other problems stand. */
  #warn(name: SectionName, errors: ApplyError[]): void {
    const before = this.#warned.get(name) ?? new Set();
    const now = new Set<string>();
    for (const { id, text } of errors) {
      const subject = `${SUBJECTS[name]}:${id}`.slice(0, 128);
      now.add(subject);
      this.#warnables.raise('configuration-not-applied', subject, 'error', `This setting is not in effect. ${text}`);
    }
    for (const subject of before) if (!now.has(subject)) this.#warnables.clear('configuration-not-applied', subject);
    this.#warned.set(name, now);
  }

  #opened<T extends { id: string }, U>(
    items: T[],
    errors: ApplyError[],
    open: (item: T) => U,
    text = 'Its password or key was sealed to another box: enter it again.',
  ): U[] {
    return items.flatMap((item) => {
      try {
        return [open(item)];
      } catch {
        errors.push({ id: item.id, code: 'secret-unreadable', text });
        return [];
      }
    });
  }
}
