import { createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Hook, type HookAnswer, HookConsumer, type Mlr2Answer, Mlr2Software } from '../../lab/arc/automation.ts';
import { Receiver as IobrokerReceiver, type KeptAlarm } from '../../lab/arc/receiver.ts';
import { newWebhookSecret } from '../../relay/receiver/outputs/webhook-signature.ts';
import { sample, TestCentre } from '../../relay/receiver/testing/centre.ts';
import { fastClock } from '../../relay/receiver/testing/fast-clock.ts';

/*
 * F3 of the acceptance list: what the receiver took reaches the automation software over each output, whatever that does.
 * Two records are compared by zone and account, which stand for the message's number: what was taken, and what the software
 * acknowledged.
 */

/** Messages through each faulty output; `npm run test:soak -- --only outputs` sends more. */
const MESSAGES = Number(process.env.GATEPOST_F3_MESSAGES ?? 300);
const LONG_MS = 60_000 + MESSAGES * 200;
const ACCOUNTS = ['1001', '1002', '1003', '1004', '1005'];
/** Fast enough to wait for, slow enough that a busy machine is not taken for software that is silent for 4 s. */
const FACTOR = 8;
let centre: TestCentre;

const withCentre = (factor: number) => {
  beforeEach(async () => {
    centre = await new TestCentre({ clock: fastClock(factor) }).start();
  });
  afterEach(() => centre.stop());
};

async function until(what: string, test: () => boolean | Promise<boolean>, ms = 30_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await test())) {
    if (Date.now() > end) throw new Error(`not in ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Numbers are spread over the accounts in turn. */
async function take(from: number, to: number): Promise<void> {
  const all = [];
  for (let n = from; n < to; n++) all.push(centre.centre.inbox.add(sample(ACCOUNTS[n % ACCOUNTS.length]!, n)));
  await Promise.all(all);
}

/** Every number once at least; how many more often; how often an account's order was broken. */
function compare(got: { account: string; n: number }[], count: number) {
  const times = new Map<number, number>();
  const last = new Map<string, number>();
  let inversions = 0;
  for (const { account, n } of got) {
    if (!times.has(n) && n < (last.get(account) ?? -1)) inversions++;
    if (!times.has(n)) last.set(account, n);
    times.set(n, (times.get(n) ?? 0) + 1);
  }
  return { lost: count - times.size, doubled: got.length - times.size, inversions };
}
const numberOf = (area: string, zone: string) => Number(area) * 1000 + Number(zone);
const kept = (software: Mlr2Software) =>
  software.kept.map(({ account, area, zone }) => ({ account, n: numberOf(area, zone) }));

/** The same faults at each run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

describe('Sur-Gard MLR2', () => {
  withCentre(FACTOR);

  it(
    'as server: refused, silent, broken off, acknowledged and broken off: nothing lost, order kept (F3, ARC-22)',
    async () => {
      const software = new Mlr2Software();
      const id = await centre.output({ kind: 'mlr2', mode: 'server', peers: ['127.0.0.1'], heartbeatS: 5 });
      const random = dice(7);
      let swallowed = 0;
      software.answer = (line): Mlr2Answer => {
        if (line.kind === 'heartbeat') return random() < 0.05 ? 'silent' : 'ack';
        const r = random();
        if (r < 0.03) return 'nak';
        if (r < 0.04) return 'silent';
        if (r < 0.05) return 'close';
        return 'ack';
      };
      software.dial((await centre.state(id)).listeningPort!);
      await take(0, MESSAGES / 2);
      await until('half', () => software.kept.length > MESSAGES / 4, LONG_MS);
      software.drop();
      // Acknowledgements that never arrive: the connection ends with them.
      const answer = software.answer;
      software.answer = (line) => {
        if (line.kind === 'heartbeat' || random() > 0.03) return answer(line);
        swallowed++;
        software.drop();
        return 'ack';
      };
      await take(MESSAGES / 2, MESSAGES);
      await until('all', async () => (await centre.state(id)).waiting === 0, LONG_MS);
      await software.stop();
      const result = compare(kept(software), MESSAGES);
      expect(result).toMatchObject({ lost: 0, inversions: 0 });
      // Each connection that ended may have taken one acknowledgement along.
      expect(result.doubled).toBeLessThanOrEqual(swallowed + 1);
      expect(swallowed).toBeGreaterThan(0);
    },
    LONG_MS,
  );

  it('three times NAK goes back to the buffer, and on after the first acknowledged heartbeat (F3)', async () => {
    const software = new Mlr2Software();
    let refusing = true;
    software.answer = (line) => (line.kind === 'heartbeat' ? (refusing ? 'silent' : 'ack') : refusing ? 'nak' : 'ack');
    const id = await centre.output({
      kind: 'mlr2',
      mode: 'client',
      host: '127.0.0.1',
      port: await software.listen(),
      heartbeatS: 5,
    });
    // Nothing is sent before a heartbeat was acknowledged.
    await take(0, 3);
    await until('heartbeats', () => software.seen.length >= 2);
    expect(software.seen.every((line) => line.kind === 'heartbeat')).toBe(true);
    expect(software.seen[0]!.text).toBe('1011           @    ');
    expect(await centre.state(id)).toMatchObject({ state: 'failing', waiting: 3 });
    software.answer = (line) => (line.kind === 'heartbeat' ? 'ack' : refusing ? 'nak' : 'ack');
    await until('three tries', () => software.seen.filter((line) => line.kind === 'cid').length >= 3);
    await until('a heartbeat', () => software.seen.at(-1)!.kind === 'heartbeat');
    const at = software.seen.findIndex((line) => line.kind === 'cid');
    expect(software.seen.slice(at, at + 4).map((line) => line.kind)).toEqual(['cid', 'cid', 'cid', 'heartbeat']);
    expect(software.seen[at]!.text).toBe('5011 181001E13000000');
    refusing = false;
    await until('all', () => software.kept.length === 3);
    expect(kept(software).map(({ n }) => n)).toEqual([0, 1, 2]);
    expect(await centre.state(id)).toMatchObject({ state: 'connected', waiting: 0, refused: 0, reason: null });
    await software.stop();
  });

  it('a late acknowledgement does not count for the next message', async () => {
    const sockets: Socket[] = [];
    const frames: string[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.setEncoding('latin1').on('data', (text: string) => {
        frames.push(...text.split('\x14').filter(Boolean));
        if (text.startsWith('1')) return void socket.write('\x06');
        // The first message is answered late, for both of its tries; the second never.
        if (frames.at(-1)!.endsWith('000')) setTimeout(() => socket.write('\x06'), 4_300 / FACTOR);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const id = await centre.output({ kind: 'mlr2', mode: 'client', host: '127.0.0.1', port });
    await take(0, 2);
    await until('the second is tried three times', () => frames.filter((f) => f.endsWith('001')).length >= 3);
    expect(await centre.state(id)).toMatchObject({ waiting: 1 });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('a restart of the receiver in the middle: what was not acknowledged goes again, in order (F3)', async () => {
    const software = new Mlr2Software();
    const port = await software.listen();
    const id = await centre.output({ kind: 'mlr2', mode: 'client', host: '127.0.0.1', port });
    await take(0, 100);
    await until('some', () => software.kept.length > 20);
    await centre.halt();
    await centre.start();
    await until('all', async () => (await centre.state(id)).waiting === 0);
    expect(compare(kept(software), 100)).toMatchObject({ lost: 0, inversions: 0 });
    expect(compare(kept(software), 100).doubled).toBeLessThanOrEqual(1);
    await software.stop();
  });

  it('one that may not connect gets nothing', async () => {
    const software = new Mlr2Software();
    const id = await centre.output({ kind: 'mlr2', mode: 'server', peers: ['192.0.2.1'] });
    await take(0, 1);
    software.dial((await centre.state(id)).listeningPort!);
    await until('it is told', async () => /may not connect/.test((await centre.state(id)).reason ?? ''));
    expect(software.seen).toEqual([]);
    expect(await centre.state(id)).toMatchObject({ waiting: 1 });
    await software.stop();
  });
});

describe('signed webhooks', () => {
  withCentre(40);
  const hooks = new HookConsumer();
  afterEach(() => hooks.stop());
  const got = () =>
    hooks.kept.map(({ body }) => ({
      account: body.data.account as string,
      n: numberOf(body.data.events[0].area, body.data.events[0].zone),
    }));

  it(
    '5xx, silence, redirects, broken connections: each message with its id at least once, in its account’s order (F3)',
    async () => {
      hooks.secret = newWebhookSecret();
      const port = await hooks.start();
      const random = dice(3);
      hooks.answer = (hook: Hook): HookAnswer => {
        if (hook.path !== '/alarms') throw new Error('a redirect was followed');
        const r = random();
        if (r < 0.02) return 500;
        if (r < 0.04) return { status: 503, headers: { 'retry-after': '2' } };
        if (r < 0.05) return 'silent';
        if (r < 0.07) return { status: 302, headers: { location: `http://127.0.0.1:${port}/elsewhere` } };
        if (r < 0.09) return 'close';
        return 204;
      };
      const id = await centre.output(
        { kind: 'webhook', url: `http://127.0.0.1:${port}/alarms` },
        { secret: hooks.secret },
      );
      await take(0, MESSAGES / 2);
      await until('some', () => hooks.kept.length > MESSAGES / 6, LONG_MS);
      await hooks.stop();
      await take(MESSAGES / 2, MESSAGES);
      await hooks.start(port);
      await until('all', async () => (await centre.state(id)).waiting === 0, LONG_MS);
      const result = compare(got(), MESSAGES);
      expect(result).toMatchObject({ lost: 0, inversions: 0 });
      // It was stopped once, with some on their way; nothing else makes a message come twice after its 2xx.
      expect(result.doubled).toBeLessThanOrEqual(8);
      expect(new Set(hooks.kept.map((hook) => hook.id)).size).toBe(MESSAGES);
      expect(hooks.kept.every((hook) => hook.id === hook.body.data.id)).toBe(true);
      expect(hooks.bad).toBe(0);
    },
    LONG_MS,
  );

  it('a message that is refused for ever is set aside when the next one is taken; the others pass meanwhile', async () => {
    hooks.secret = newWebhookSecret();
    hooks.kept.length = 0;
    const port = await hooks.start();
    hooks.answer = ({ body }) => (body.data.events[0].zone === '000' ? 422 : 200);
    const id = await centre.output({ kind: 'webhook', url: `http://127.0.0.1:${port}/` }, { secret: hooks.secret });
    await take(0, 10);
    await until('it is set aside', async () => (await centre.state(id)).refused === 1, 30_000);
    await until('all others', async () => (await centre.state(id)).waiting === 0);
    // A slow answer has one sent again, never left out.
    expect(compare(got(), 9)).toMatchObject({ lost: 0, inversions: 0 });
  }, 60_000);
});

describe('DC-09', () => {
  withCentre(FACTOR);

  it.each([
    ['tcp' as const, null],
    ['tcp' as const, '000102030405060708090A0B0C0D0E0F'],
  ])(
    'to a foreign receiver over %s, key %s: everything, in order, numbered by this output (F3)',
    async (transport, key) => {
      const alarms: KeptAlarm[] = [];
      const accounts = ACCOUNTS.map((account) => ({ account: account.replace('100', 'A00'), key }));
      const receiver = new IobrokerReceiver({
        host: '127.0.0.1',
        port: 0,
        via: 'direct',
        accounts,
        keep: (alarm) => alarms.push(alarm),
      });
      await receiver.start();
      const id = await centre.output(
        {
          kind: 'dc09',
          host: '127.0.0.1',
          port: receiver.port,
          transport,
          accounts: ACCOUNTS.map((from) => ({ from, to: from.replace('100', 'A00') })),
        },
        key ? { secret: key } : {},
      );
      await take(0, 50);
      await until('some', () => alarms.length > 10);
      await centre.halt();
      await centre.start();
      await take(50, 100);
      await until('all', async () => (await centre.state(id)).waiting === 0);
      await receiver.stop();
      const got = alarms.map(({ account, text, sequence }) => {
        const m = /\|1130 (\d\d) (\d{3})/.exec(text);
        return { account, sequence, n: numberOf(m?.[1] ?? '', m?.[2] ?? '') };
      });
      expect(compare(got, 100)).toMatchObject({ lost: 0, inversions: 0 });
      // Four accounts are served at once: no more were on their way when it stopped.
      expect(compare(got, 100).doubled).toBeLessThanOrEqual(4);
      const first = got.filter(({ account }) => account === 'A001').map(({ sequence }) => sequence);
      expect([...new Set(first)]).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
      expect(alarms.every(({ encrypted }) => encrypted === (key !== null))).toBe(true);
    },
    60_000,
  );

  it('over UDP, encrypted, to a receiver of ours: nothing is lost, and what came twice is marked (F3)', async () => {
    const other = await new TestCentre().start();
    const key = '000102030405060708090A0B0C0D0E0F1011121314151617';
    for (const account of ACCOUNTS) other.account(account, { key });
    const config = { kind: 'dc09', host: '127.0.0.1', port: other.port, transport: 'udp' };
    const id = await centre.output(config, { secret: key });
    await take(0, 50);
    await until('all', async () => (await centre.state(id)).waiting === 0);
    const rows = await other.db.selectFrom('receiver_messages').selectAll().orderBy('rowId').execute();
    const got = rows
      .filter((row) => row.repeatOf === null)
      .map(({ account, data }) => ({ account, n: numberOf(data.slice(11, 13), data.slice(14)) }));
    expect(compare(got, 50)).toEqual({ lost: 0, doubled: 0, inversions: 0 });
    expect(rows.every((row) => row.encrypted === 1 && row.peer.startsWith('udp'))).toBe(true);
    await other.stop();
  });
});
