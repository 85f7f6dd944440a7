import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { systemClock as clock, iso } from '../../../protocol/clock.ts';
import type { AlarmReport, Event, EventType } from '../../../protocol/wire/event.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import { Journal } from '../../journal/journal.ts';
import { Warnables } from '../../warnables.ts';
import { ArcService } from '../service.ts';
import type { ArcAccountConfig, ArcTimings } from '../types.ts';

/** Times that keep a test short and still far enough apart to tell one rule from another. */
export const QUICK = {
  connectTimeoutMs: 300,
  ackTimeoutMs: 500,
  holdDownMs: 400,
  probeIntervalMs: 100,
  retryFirstMs: 50,
  retryCapMs: 200,
  waitingAfterMs: 200,
} satisfies Partial<ArcTimings>;

const made: string[] = [];
/** What {@link tempDir} made; test files call it when they are done, programs end with it. */
export function removeTempDirs(): void {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
}
process.once('exit', removeTempDirs);

export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-arc-'));
  made.push(dir);
  return dir;
}

export function account(given: Partial<ArcAccountConfig> = {}): ArcAccountConfig {
  return {
    id: uuidv7(),
    receiverId: uuidv7(),
    account: '00A1',
    protocol: 'SIA-DCS',
    key: null,
    keyFormat: 'hex',
    mode: 'direct-or-relay',
    direct: { host: '127.0.0.1', port: 9 },
    transport: 'tcp',
    partition: 1,
    events: ['motion', 'lineCrossing', 'intrusion', 'tamper', 'videoLoss', 'alarmInput', 'other'],
    zones: [],
    devices: null,
    ackTimeoutMs: 5_000,
    attempts: 2,
    codes: [],
    extended: { blocks: 1, text: false, picture: false, path: false },
    periodicTest: null,
    supervision: { kind: 'off', intervalMs: 60_000 },
    ...given,
  };
}

type Auth = ConstructorParameters<typeof ArcService>[0]['auth'];
const NO_RELAY: Auth = {
  relayUrl: new URL('http://127.0.0.1:9'),
  header: () => Promise.reject(new Error('no relay in this test')),
};

/** A box reduced to journal and alarm transmission. */
export class ArcBox {
  readonly dir: string;
  readonly warnables: Warnables;
  readonly journal: Journal;
  readonly service: ArcService;
  readonly deviceId = '01890000-0000-7000-8000-0000000000d1';

  constructor(
    o: {
      auth?: Auth;
      dir?: string;
      timings?: Partial<ArcTimings>;
      second?: () => string | null;
      recorded?: (event: Event) => boolean;
      limits?: { account: number; all: number };
    } = {},
  ) {
    const log = pino({ level: process.env.LOG ?? 'silent' });
    this.dir = o.dir ?? tempDir();
    this.warnables = new Warnables({ clock, log });
    this.journal = new Journal({ path: join(this.dir, 'journal.db'), clock, log, warnables: this.warnables });
    this.service = new ArcService({
      journal: this.journal,
      dir: join(this.dir, 'arc'),
      auth: o.auth ?? NO_RELAY,
      clock,
      log,
      warnables: this.warnables,
      second: o.second,
      limits: o.limits,
      recorded: o.recorded,
      ...QUICK,
      ...o.timings,
    });
  }

  start(accounts: ArcAccountConfig[]): this {
    this.journal.start();
    this.service.start();
    this.service.apply(accounts);
    return this;
  }

  async stop(): Promise<void> {
    await this.service.stop();
    await this.journal.stop();
  }

  async event(type: EventType, channel: number | null = 1, more: Partial<Event> = {}) {
    const id = uuidv7();
    const now = iso(clock.now());
    await this.journal.append([
      {
        kind: 'event',
        body: {
          id,
          type,
          deviceId: this.deviceId,
          channel,
          seenAt: now,
          deviceTime: null,
          sourceRef: null,
          occurredAt: now,
          text: null,
          ...more,
        },
      },
    ]);
    return id;
  }

  async end(eventId: string): Promise<void> {
    await this.journal.append([{ kind: 'eventEnd', body: { eventId, endedAt: iso(clock.now()) } }]);
  }

  reports(): AlarmReport[] {
    return this.journal.read(0, 100_000).flatMap((r) => (r.kind === 'alarm' ? [r.body] : []));
  }

  acknowledged(): AlarmReport[] {
    return this.reports().filter((r) => r.state === 'acknowledged');
  }

  warnings(): string[] {
    return this.warnables.list().map((w) => w.code);
  }
}

/** Waits until `check` holds; the time is only a bound, never what is tested. */
export async function until(check: () => unknown, boundMs = 15_000): Promise<void> {
  const end = Date.now() + boundMs;
  while (!check()) {
    if (Date.now() > end) throw new Error(`never came true: ${check}`);
    await clock.sleep(10);
  }
}
