import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { build, type Rollup } from 'vite';
import { WebSocket } from 'ws';
import { Demo } from '../lab/journeys/demo.ts';
import { inPage, type Looked } from './live/in-page.ts';
import { lips } from './live/lips.ts';
import { Receiver } from './live/receiver.ts';
import { percentile } from './percentile.ts';

/** Ticks of /proc/…/stat. */
const TICK_MS = 10;
const VIEWERS = 20;

/**
 * The whole product with the lab's cameras (1280×720, 25 pictures a second, 2 s between key frames): how long until the first
 * picture stands in Chromium and how far behind the camera's own clock it is, by WebRTC from the box and by MSE through the
 * relay; what a viewer costs the box, and the relay. No other media server is there to compare with: the figures of other ways
 * to do the same, measured apart, stand in docs/benchmarks.md.
 */
export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  const demo = await new Demo().start();
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
  });
  try {
    const [device] = await demo.devices();
    if (!device) throw new Error('the demo has no camera');
    const channel = `/api/v1/devices/${device.id}/channels/1`;
    const { portal, login } = demo.ready;
    const page = await browser.newPage();
    const { token } = (await (await page.request.post(`${portal}/api/v1/auth/login`, { data: login })).json()) as {
      token: string;
    };
    // Any page of the portal's origin.
    await page.goto(`${portal}/healthz`).catch(() => null);
    const script = await players();
    for (const [way, target] of [
      ['direct', 'first ≤ 250, behind ≤ 60 on a LAN'],
      ['relay', 'behind ≤ 170'],
    ] as const) {
      const looks: Looked[] = [];
      // The first one finds nothing pulled and nothing loaded.
      for (let i = 0; i <= (quick ? 4 : 12); i++)
        looks.push(await look(page, script, { way, channel, ms: i === 0 ? 500 : 3_000, first: i === 0 }));
      const [cold, ...warm] = looks;
      const firsts = warm.map(({ firstMs }) => firstMs);
      const behind = warm.flatMap(({ behindMs }) => behindMs);
      emit({
        bench: `live: ${way === 'direct' ? 'WebRTC from the box' : 'MSE through the relay'}, in Chromium`,
        unit: 'ms',
        firstP50: at(firsts, 50),
        firstMax: at(firsts, 100),
        coldFirst: Math.round(cold!.firstMs),
        behindP50: at(behind, 50),
        behindP95: at(behind, 95),
        pictures: behind.length,
        target,
      });
    }
    await page.close();
    for (const lateMs of [0, 300]) {
      const { apartMs, unheardMs, heardMs } = await lips(browser, `${player}\n${script}`, lateMs);
      emit({
        bench: `live: lips by WebRTC, of a camera that sends its sound ${lateMs} ms late`,
        unit: 'ms',
        apartP50: at(apartMs, 50),
        apartMax: at(apartMs, 100),
        behindUnheardP50: at(unheardMs, 50),
        behindHeardP50: at(heardMs, 50),
        beeps: apartMs.length,
        target: 'apart ≤ 100, the buffer of what measures it among them; nothing is held back for what nobody hears',
      });
    }
    const seconds = quick ? 8 : 20;
    const headers = { authorization: `Bearer ${token}` };
    await directViewers(emit, demo, `${portal}${channel}`, headers, seconds);
    await relayedViewers(emit, demo, `${portal.replace('http', 'ws')}${channel}`, headers, seconds);
  } finally {
    await browser.close();
    await demo.remove();
  }
}

const at = (values: number[], p: number) => Math.round(percentile(values, p));

const reader = stripTypeScriptTypes(
  readFileSync(new URL('../lab/clock-reader.ts', import.meta.url), 'utf8'),
).replaceAll(/^export /gm, '');
const player = stripTypeScriptTypes(readFileSync(new URL('live/in-page.ts', import.meta.url), 'utf8'))
  .replaceAll(/^import .*$/gm, '')
  .replaceAll(/^export /gm, '');

/** The portal's player, as one script. */
async function players(): Promise<string> {
  const entry = fileURLToPath(new URL('live/players.ts', import.meta.url));
  const lib = { entry, formats: ['iife' as const], name: 'players' };
  const built = await build({ configFile: false, logLevel: 'error', build: { write: false, lib } });
  const [first] = [built].flat() as Rollup.RollupOutput[];
  return first!.output[0].code;
}

function look(page: Page, players: string, o: Parameters<typeof inPage>[0]): Promise<Looked> {
  const code = `${reader}\n${player}\n${players}\nreturn ${inPage.name}(o, readClock, players);`;
  return page.evaluate(({ code, o }) => new Function('o', code)(o) as Promise<Looked>, { code, o });
}

/** What the box needs for each viewer, beside what it needs for the pull. */
async function directViewers(
  emit: (line: object) => void,
  demo: Demo,
  channel: string,
  headers: Record<string, string>,
  seconds: number,
): Promise<void> {
  const open = async () => {
    const viewer = new Receiver();
    const body = await viewer.offer();
    const answer = await fetch(`${channel}/whep`, {
      method: 'POST',
      body,
      headers: { ...headers, 'content-type': 'application/sdp' },
    });
    if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
    const view = new URL(answer.headers.get('location')!, channel).href;
    const type = { 'content-type': 'application/trickle-ice-sdpfrag' };
    await fetch(view, { method: 'PATCH', body: viewer.answer(await answer.text()), headers: { ...headers, ...type } });
    return { viewer, end: () => fetch(view, { method: 'DELETE', headers }) };
  };
  // One keeps the stream pulled, in both measurements.
  const first = await open();
  await sleep(3_000);
  const before = await cpuPercent(demo.pids().box, seconds);
  // A session has 16 windows, and several ways of one channel are as many windows.
  const more = await Promise.all(Array.from({ length: 14 }, open));
  await sleep(4_000);
  const bytes = more.map(({ viewer }) => viewer.bytes);
  const after = await cpuPercent(demo.pids().box, seconds);
  const kbps = more.map(({ viewer }, i) => ((viewer.bytes - bytes[i]!) * 8) / seconds / 1000);
  const perViewer = (after - before) / more.length;
  const mean = kbps.reduce((sum, value) => sum + value, 0) / kbps.length;
  emit({
    bench: 'live: processor of the box for a WebRTC viewer',
    unit: '% of a core',
    perViewer: round(perViewer),
    viewers: more.length,
    kbpsEach: Math.round(mean),
    per4Mbps: round((perViewer * 4000) / mean),
    allSee: more.every(({ viewer }) => viewer.keys > 0),
    target: '≤ 0.5 at 4 Mbit/s',
  });
  for (const { viewer, end } of [first, ...more]) {
    await end();
    viewer.close();
  }
}

/** What the relay needs for each viewer of a stream that it fetches once. */
async function relayedViewers(
  emit: (line: object) => void,
  demo: Demo,
  channel: string,
  headers: Record<string, string>,
  seconds: number,
): Promise<void> {
  const open = (token: string) => {
    const socket = new WebSocket(`${channel}/live/socket`, { headers: { authorization: `Bearer ${token}` } });
    const viewer = { bytes: 0, socket };
    socket.on('message', (data: Buffer) => {
      viewer.bytes += data.length;
    });
    socket.on('error', () => {});
    return viewer;
  };
  // A session has 16 windows: each half has its own.
  const { login, portal } = demo.ready;
  const second = await fetch(`${portal}/api/v1/auth/login`, {
    method: 'POST',
    body: JSON.stringify(login),
    headers: { 'content-type': 'application/json' },
  });
  const tokens = [headers.authorization!.slice('Bearer '.length), ((await second.json()) as { token: string }).token];
  const first = open(tokens[0]!);
  await sleep(3_000);
  const before = await cpuPercent(demo.pids().relay, seconds);
  const more = Array.from({ length: VIEWERS }, (_, i) => open(tokens[i % 2]!));
  await sleep(3_000);
  const bytes = more.map((viewer) => viewer.bytes);
  const after = await cpuPercent(demo.pids().relay, seconds);
  const rates = more.map((viewer, i) => ((viewer.bytes - bytes[i]!) * 8) / seconds / 1000);
  const mean = rates.reduce((sum, value) => sum + value, 0) / rates.length;
  const perViewer = (after - before) / more.length;
  emit({
    bench: 'live: processor of the relay for a viewer of a stream that others see too',
    unit: '% of a core',
    perViewer: round(perViewer),
    viewers: more.length,
    kbpsEach: Math.round(mean),
    viewersOfACoreAt4Mbps: Math.floor(100 / ((perViewer * 4000) / mean)),
  });
  for (const { socket } of [first, ...more]) socket.close();
}

const round = (value: number) => Math.round(value * 1000) / 1000;
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Processor time of a process over a while (proc(5), fields 14 and 15). */
async function cpuPercent(pid: number, seconds: number): Promise<number> {
  const now = () => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  };
  const [before, started] = [now(), performance.now()];
  await sleep(seconds * 1000);
  return ((now() - before) / (performance.now() - started)) * 100;
}
