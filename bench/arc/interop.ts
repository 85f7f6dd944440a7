import { once } from 'node:events';
import type { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { sia as Sia, type SiaMessage } from 'iobroker.sia/build/lib/sia.js';
import { openLink } from '../../edge/arc/link.ts';
import { encodeFor, judge } from '../../edge/arc/message.ts';
import { ArcBox, account, removeTempDirs, until } from '../../edge/arc/testing/harness.ts';
import { StrictReceiver } from '../../edge/arc/testing/strict-receiver.ts';
import { arcTimings } from '../../edge/arc/types.ts';
import { systemClock as clock } from '../../protocol/clock.ts';
import { dc09Text, siaData } from '../../protocol/codec/dc09-content.ts';

/*
 * The box's sender against two receivers that share no line with it: iobroker.sia from npm, unmodified (it refuses NULL),
 * and a strict one (acceptance B1, B2, B4, B5). `node bench/arc/interop.ts`; what runs in CI is interop.test.ts.
 */

const ACCOUNT = '00A1';
export const FORMS = {
  'SIA-DCS': { protocol: 'SIA-DCS', key: null },
  '*SIA-DCS AES-256': { protocol: 'SIA-DCS', key: Buffer.alloc(32, 'k') },
  'ADM-CID': { protocol: 'ADM-CID', key: null },
  '*ADM-CID AES-128': { protocol: 'ADM-CID', key: Buffer.alloc(16, 'k') },
} as const;
export type Form = keyof typeof FORMS;

export interface Taken {
  data: string;
  extended: string;
  at: number;
}
export interface Centre {
  direct: { host: string; port: number };
  /** What it acknowledged, in order. */
  taken(): Taken[];
  /** How often it said NAK. */
  refused(): number;
  polls(): number[];
  stop(): Promise<void>;
}
export const CENTRES = { 'iobroker.sia': iobroker, strict } as const;
export type CentreName = keyof typeof CENTRES;

async function iobroker(key: Buffer | null, number = ACCOUNT): Promise<Centre> {
  const sia = new Sia({ host: '127.0.0.1', port: 0, timeout: 40, logger: () => {} });
  sia.setAccounts([{ accountnumber: number, aes: key !== null, hex: true, password: key?.toString('hex') ?? '' }]);
  const taken: Taken[] = [];
  let refused = 0;
  sia.on('sia', (message: SiaMessage | undefined) => {
    if (message) taken.push({ data: message.data_message, extended: message.data_extended, at: performance.now() });
    else refused++;
  });
  sia.on('error', () => {});
  const server: Server = sia.servertcp;
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  sia.serverStartTCP();
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    direct: { host: '127.0.0.1', port },
    taken: () => taken,
    refused: () => refused,
    polls: () => [],
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function strict(
  key: Buffer | null,
  number = ACCOUNT,
  options: Partial<ConstructorParameters<typeof StrictReceiver>[0]> = {},
): Promise<Centre> {
  const receiver = new StrictReceiver({ accounts: { [number]: key }, ...options });
  const direct = await receiver.start();
  return {
    direct,
    taken: () => receiver.alarms.map((a) => ({ data: a.data, extended: a.extended.join(), at: a.at })),
    refused: () => receiver.received.filter((r) => r.reply === 'NAK').length,
    polls: () => receiver.received.filter((r) => r.token === 'NULL' && r.reply === 'ACK').map((r) => r.at),
    stop: () => receiver.stop(),
  };
}

/** B1: so many events in one form to one centre. */
export async function events(name: CentreName, form: Form, count: number) {
  const { protocol, key } = FORMS[form];
  const centre = await CENTRES[name](key);
  const box = new ArcBox().start([account({ direct: centre.direct, protocol, key })]);
  try {
    await until(() => box.service.health()[0]!.direct === 'up');
    const before = centre.refused();
    for (let i = 0; i < count; i++) await box.event(i % 10 === 9 ? 'tamper' : 'motion', i % 1000);
    await until(() => box.acknowledged().length === count, 120_000);
    const zones = centre.taken().map((t) => Number(t.data.slice(-3)));
    return {
      acknowledged: zones.length,
      doubled: zones.length - count,
      inOrder: zones.every((zone, i) => zone === i % 1000),
      // Polls of an idle line are refused by one of the two, alarms are not.
      alarmsRefused: box.acknowledged().filter((r) => r.tries > 1).length,
      polled: centre.refused() - before,
    };
  } finally {
    await box.stop();
    await centre.stop();
  }
}

/** B2: supervision by NULL where it is taken, by RP where it is not. */
export async function supervision(name: CentreName, intervals: number, intervalMs: number) {
  const kind = name === 'strict' ? ('null' as const) : ('test' as const);
  const centre = await CENTRES[name](null);
  const config = account({ direct: centre.direct, supervision: { kind, intervalMs } });
  const box = new ArcBox({ timings: { probeIntervalMs: 60_000 } }).start([config]);
  try {
    const heard = () => (kind === 'null' ? centre.polls() : centre.taken().map((t) => t.at));
    await until(() => heard().length > intervals, (intervals + 10) * intervalMs * 2 + 10_000);
    const gaps = heard()
      .slice(1)
      .map((at, i) => at - heard()[i]!);
    // Receivers call a line lost after three intervals, or one and 30 s.
    const late = gaps.filter((gap) => gap > 3 * intervalMs + 100).length;
    return { kind, intervals: gaps.length, late, longestMs: Math.round(Math.max(...gaps)) };
  } finally {
    await box.stop();
    await centre.stop();
  }
}

/** B4: text with everything in it that ends a block, too long, and the address of a picture. */
export async function texts(name: CentreName) {
  const key = Buffer.alloc(16, 'k');
  const centre = await CENTRES[name](key);
  const box = new ArcBox().start([account({ direct: centre.direct, key, protocol: 'SIA-DCS' })]);
  const timings = arcTimings({});
  const link = openLink({ ...centre.direct, transport: 'tcp', clock, timings });
  try {
    await box.event('other', 1, { text: `Tür [Süd] | "x"^ é ${'ß'.repeat(300)}`, type: 'other' });
    await until(() => box.acknowledged().length === 1);
    const header = { encrypted: true, receiver: '0', line: '0', account: ACCOUNT, timestamp: clock.now() };
    const send = async (sequence: number, text: string, xdata: string[]) => {
      const data = siaData(ACCOUNT, 1, 'BA', '003', text);
      const message = { ...header, id: 'SIA-DCS', sequence, data, xdata };
      const frame = encodeFor({ account: ACCOUNT, key }, message);
      const reply = await link.exchange(frame, (got) => judge(got, message, key), 5_000);
      return reply.result === 'reply' && reply.value.is === 'acknowledged';
    };
    const longest = await send(9998, dc09Text('Größe [x] '.repeat(60)), []);
    const picture = await send(9999, 'Hall', ['Vhttps://relay.example/v/0123456789abcdef']);
    const parts = centre.taken().map(({ data }) => data.split('|A')[1] ?? '');
    return {
      acknowledged: centre.taken().length,
      longest,
      picture: picture && centre.taken().some((t) => t.extended.startsWith('Vhttps://')),
      clean: parts.every((text) => text.length <= 256 && /^[ -~]+$/.test(text) && !/[[\]|^"]/.test(text)),
      text: parts[0]!.slice(0, 20),
    };
  } finally {
    link.close();
    await box.stop();
    await centre.stop();
  }
}

export const MISTAKES = [
  'other key',
  'false ACK',
  'unknown account',
  'unknown code',
  'clock +10 min',
  'clock −10 min',
] as const;
export type Mistake = (typeof MISTAKES)[number];

/** B5: one account is set up wrongly, another one beside it is not. */
export async function mistaken(name: CentreName, mistake: Mistake) {
  const key = Buffer.alloc(16, 'k');
  const theirs = Buffer.alloc(16, mistake === 'other key' || mistake === 'false ACK' ? 'o' : 'k');
  const number = mistake === 'unknown account' ? '0A11' : ACCOUNT;
  const options: Parameters<typeof strict>[2] = {};
  if (mistake === 'unknown code') options.poison = /\/KA/;
  if (mistake === 'false ACK') options.falseKey = theirs;
  if (mistake.startsWith('clock')) options.clockMs = mistake.includes('+') ? 600_000 : -600_000;
  const wrong = name === 'strict' ? await strict(theirs, number, options) : await iobroker(theirs, number);
  const right = await CENTRES[name](key);
  const types = ['motion', 'temperature'] as const;
  const [bad, good] = [wrong, right].map(({ direct }) => account({ direct, key, events: [...types] }));
  const box = new ArcBox().start([bad!, good!]);
  try {
    const of = (id: string) => box.acknowledged().filter((r) => r.accountId === id);
    const began = performance.now();
    const code = mistake === 'unknown code';
    if (code) await box.event('temperature', 1);
    await box.event('motion', 2);
    await box.event('motion', 3);
    await until(() => of(good!.id).length === (code ? 3 : 2));
    const otherMs = Math.round(performance.now() - began);
    const clockWrong = mistake.startsWith('clock');
    const done = () => of(bad!.id).length >= (code ? 2 : clockWrong ? 2 : Number.POSITIVE_INFINITY);
    const fault = () =>
      box.warnables.list().some((w) => w.subject === `arc:${bad!.id}` && /refused|clock/.test(w.code));
    await until(() => (clockWrong || code ? done() : fault()), 30_000);
    const tookMs = Math.round(performance.now() - began);
    if (clockWrong) await until(fault, 30_000);
    // What was not acknowledged truly is never counted as such, however long it waits.
    else await sleep(500);
    const truly = wrong.taken().length;
    return { otherMs, tookMs, falseSuccess: of(bad!.id).length > truly, delivered: of(bad!.id).length, fault: fault() };
  } finally {
    await box.stop();
    await wrong.stop();
    await right.stop();
  }
}

export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  for (const name of Object.keys(CENTRES) as CentreName[]) {
    for (const form of Object.keys(FORMS) as Form[]) {
      const count = quick ? 100 : 1_000;
      emit({
        bench: `B1 ${name}, ${form}`,
        n: count,
        ...(await events(name, form, count)),
        target: 'all, in order, 0, 0',
      });
    }
    emit({ bench: `B2 ${name}`, ...(await supervision(name, quick ? 5 : 25, 1_000)), target: '≥ 20, none late' });
    emit({ bench: `B4 ${name}`, ...(await texts(name)), target: 'acknowledged and clean' });
    for (const mistake of MISTAKES) {
      if (name !== 'strict' && !['other key', 'unknown account'].includes(mistake)) continue;
      const target = mistake.startsWith('clock') ? 'delivered ≤ 2000 ms' : 'no false success, fault ≤ 30000 ms';
      emit({ bench: `B5 ${name}, ${mistake}`, ...(await mistaken(name, mistake)), target });
    }
  }
}

if (import.meta.main) {
  await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
  removeTempDirs();
}
