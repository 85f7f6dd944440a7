import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { Dc09Listener, type Dc09Problem } from '../../protocol/dc09/listener.ts';
import type { DeviceListItem } from '../../protocol/wire/operations.ts';
import type { DeviceHealth } from '../../protocol/wire/uplink.ts';
import { pastEvents } from '../devices/past-events.ts';
import type { Journal } from '../journal/journal.ts';
import type { Warnables } from '../warnables.ts';
import { Panel } from './panel.ts';
import type { PanelConfig } from './types.ts';

const RETRY_MS = 30_000;
const MAX_PANELS = 100;
const MAX_CONNECTIONS = 256;
/** A connection between two polls of a slow panel stays open. */
const IDLE_MS = 1_800_000;
/** An account number that nobody knows is shown for so long; another one no sooner than this. */
const UNKNOWN_SHOWN_MS = 3_600_000;
const UNKNOWN_EVERY_MS = 60_000;

type ApplyError = { id: string; code: string; text: string };

const REFUSED: Partial<Record<Dc09Problem['code'], string>> = {
  key: 'its messages do not open with the key that is entered here. Enter the same key in both, or none in both.',
  'plain-refused': 'it sends in clear although a key is entered here. Enter the key in the panel, too.',
  time: 'the time in its messages is wrong. Set its clock to UTC, or choose here that its clock shows local time.',
};

/**
 * Panels that send DC-09 to the box: one listener over TCP and UDP while there is a panel, one {@link Panel} each. They are
 * told apart by their account numbers.
 */
export class PanelIn {
  readonly #host: string;
  readonly #port: number | null;
  readonly #journal: Pick<Journal, 'append' | 'read' | 'lastSeq'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #warnables: Pick<Warnables, 'raise' | 'clear'>;
  readonly #panels = new Map<string, Panel>();
  readonly #listeners = new Set<() => void>();
  #wanted: PanelConfig[] = [];
  #started = false;
  #listener: Dc09Listener | null = null;
  #openPort: number | null = null;
  #turn: Promise<void> = Promise.resolve();
  #cancelRetry: () => void = () => {};
  #cancelUnknown: () => void = () => {};
  #unknownAt = Number.NEGATIVE_INFINITY;

  constructor(o: {
    host: string;
    /** null: panels are not received; 0: any port. */
    port: number | null;
    journal: Pick<Journal, 'append' | 'read' | 'lastSeq'>;
    clock: Clock;
    log: Logger;
    warnables: Pick<Warnables, 'raise' | 'clear'>;
  }) {
    this.#host = o.host;
    this.#port = o.port;
    this.#journal = o.journal;
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'panel-in' });
    this.#warnables = o.warnables;
  }

  start(signal?: AbortSignal): void {
    this.#started = true;
    signal?.addEventListener('abort', () => void this.stop());
    this.apply(this.#wanted);
  }

  async stop(): Promise<void> {
    this.#started = false;
    this.#cancelUnknown();
    await this.#follow();
    await Promise.all([...this.#panels.values()].map((panel) => panel.stop(false)));
    this.#panels.clear();
  }

  /** Makes the panels looked after equal to `items`; what is wrong with single ones comes back and holds up no other. */
  apply(items: PanelConfig[]): ApplyError[] {
    this.#wanted = items;
    const errors: ApplyError[] = [];
    const wanted = new Map<string, PanelConfig>();
    const accounts = new Set<string>();
    for (const item of items) {
      const refuse = (code: string, text: string) => errors.push({ id: item.id, code, text });
      if (this.#port === null) refuse('off', 'This box is set not to receive from panels (option --dc09-port).');
      else if (accounts.has(item.account))
        refuse('duplicate', `Another panel of this box sends with the account number ${item.account} already.`);
      else if (wanted.size >= MAX_PANELS) refuse('too-many', `One box receives from ${MAX_PANELS} panels.`);
      else if (item.key && ![16, 24, 32].includes(item.key.length))
        refuse('key-invalid', 'Its key has no length that AES has: enter it again.');
      else {
        accounts.add(item.account);
        wanted.set(item.id, item);
      }
    }
    if (!this.#started) return errors;
    for (const [id, panel] of this.#panels) {
      const config = wanted.get(id);
      // Another account number is another panel.
      if (config?.account === panel.config.account) continue;
      this.#panels.delete(id);
      void panel.stop(true);
      this.#warnables.clear('panel-refused', `device:${id}`);
    }
    const past = [...wanted.keys()].some((id) => !this.#panels.has(id)) ? pastEvents(this.#journal) : null;
    for (const [id, config] of wanted) {
      const known = this.#panels.get(id);
      if (known && isDeepStrictEqual(known.config, config)) continue;
      if (known) {
        known.configure(config);
        continue;
      }
      const panel = new Panel({
        config,
        clock: this.#clock,
        log: this.#log,
        append: (records) => this.#journal.append(records),
        onChange: () => this.#changed(),
      });
      this.#panels.set(id, panel);
      panel.start(past?.get(id) ?? []);
    }
    void this.#follow();
    this.#changed();
    return errors;
  }

  health(): DeviceHealth[] {
    return [...this.#panels.values()].map((panel) => panel.health());
  }

  /** What a panel has said of its areas; null: no panel that sends to the box. */
  areas(deviceId: string): DeviceListItem[] | null {
    return this.#panels.get(deviceId)?.areas() ?? null;
  }

  /** Where panels reach the box; null: it does not listen (yet). */
  port(): number | null {
    return this.#openPort;
  }

  onChange(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /** Listens while there is a panel, and not otherwise. */
  #follow(): Promise<void> {
    this.#cancelRetry();
    this.#turn = this.#turn.then(async () => {
      const wanted = this.#started && this.#panels.size > 0;
      if (wanted === (this.#listener !== null)) return;
      if (!wanted) {
        const listener = this.#listener;
        this.#listener = null;
        this.#openPort = null;
        await listener?.stop();
        return;
      }
      await this.#listen();
    });
    return this.#turn;
  }

  async #listen(): Promise<void> {
    const listener = new Dc09Listener({
      host: this.#host,
      port: this.#port!,
      transports: ['tcp', 'udp'],
      clock: this.#clock,
      log: this.#log,
      maxConnections: MAX_CONNECTIONS,
      idleMs: IDLE_MS,
      known: (account) => this.#of(account)?.config ?? null,
      received: async (received) => {
        const panel = this.#of(received.message.account!);
        if (!panel) return 'nak';
        const answer = await panel.receive(received);
        if (answer === 'ack') this.#warnables.clear('panel-refused', `device:${panel.config.id}`);
        return answer;
      },
      problem: (problem) => this.#problem(problem),
    });
    try {
      this.#openPort = (await listener.start()).tcp;
      this.#listener = listener;
      this.#warnables.clear('panel-port-in-use', 'box');
      this.#log.info({ port: this.#openPort }, 'panels are received');
      this.#changed();
    } catch (error) {
      this.#warnables.raise(
        'panel-port-in-use',
        'box',
        'error',
        `No panel reaches this box: port ${this.#port} cannot be opened (${(error as NodeJS.ErrnoException).code}). End what else uses it, or choose another one with --dc09-port.`,
      );
      this.#cancelRetry = this.#clock.after(RETRY_MS, () => void this.#follow());
    }
  }

  #of(account: string): Panel | undefined {
    return [...this.#panels.values()].find((panel) => panel.config.account === account);
  }

  #problem({ peer, account, code }: Dc09Problem): void {
    this.#log.debug({ peer: peer.address, account, code }, 'a message was refused');
    const panel = account === null ? undefined : this.#of(account);
    const why = REFUSED[code];
    if (panel && why) {
      const { id, name } = panel.config;
      this.#warnables.raise('panel-refused', `device:${id}`, 'error', `“${name}” reaches this box, but ${why}`);
      return;
    }
    const now = this.#clock.mono();
    if (code !== 'unknown-account' || now - this.#unknownAt < UNKNOWN_EVERY_MS) return;
    this.#unknownAt = now;
    this.#cancelUnknown();
    this.#cancelUnknown = this.#clock.after(UNKNOWN_SHOWN_MS, () => this.#warnables.clear('panel-unknown', 'box'));
    const text = `A panel at ${peer.address} sends alarms with the account number ${account ?? '(none)'}, which is not set up here; they are refused. Add the panel, or correct the number in it.`;
    this.#warnables.raise('panel-unknown', 'box', 'warning', text);
  }

  #changed(): void {
    for (const fn of this.#listeners) fn();
  }
}
