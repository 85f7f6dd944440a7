import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import type { Browser } from 'playwright-core';
import { FakeSource, FakeSources, PCMU } from '../../edge/live/testing/fake-source.ts';
import { WebRtcView } from '../../edge/live/web-rtc-view.ts';
import { nalRole, ParameterSets, withLength } from '../../edge/video/codec.ts';
import type { AccessUnit } from '../../edge/video/receiver.ts';
import { systemClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { type Heard, lipsInPage } from './in-page.ts';

const STEP_MS = 40;
const PIECE_MS = 20;
const FLASH_MS = 120;
/** Browsers come nearer by no more than 80 ms a second. */
const COMES_TOGETHER_S = 14;
const HEARD_S = 8;
const UNHEARD_S = 6;

export interface Lips {
  /** How long after its flash a beep is heard, as the page can measure it: a buffer of Web Audio is in it. */
  apartMs: number[];
  /** How late a flash was shown, while nobody listened and at the end. */
  unheardMs: number[];
  heardMs: number[];
}

/** Two seconds in pictures: white for the first three of each second, then black. */
function flashes(): Buffer[] {
  const white = "drawbox=t=fill:c=white:enable='lt(mod(n,25),3)'";
  const input = ['-f', 'lavfi', '-i', `color=black:size=320x240:rate=25,format=yuv420p,${white}`, '-t', '2'];
  const x264 = [
    '-c:v',
    'libx264',
    '-profile:v',
    'baseline',
    '-preset',
    'ultrafast',
    '-tune',
    'zerolatency',
    '-g',
    '50',
  ];
  const one = ['-threads', '1', '-x264-params', 'repeat-headers=1:scenecut=0:sliced-threads=0:slices=1'];
  const bytes = execFileSync('ffmpeg', ['-v', 'error', ...input, ...x264, ...one, '-f', 'h264', '-']);
  const nals: Buffer[] = [];
  for (let at = bytes.indexOf('\0\0\x01', 0, 'latin1'); at >= 0; ) {
    const next = bytes.indexOf('\0\0\x01', at + 3, 'latin1');
    let end = next < 0 ? bytes.length : next;
    while (bytes[end - 1] === 0) end--;
    nals.push(bytes.subarray(at + 3, end));
    at = next;
  }
  return nals;
}

/**
 * A camera that sends its sound so much later than the pictures of the same moment, seen and heard with the portal's player:
 * it flashes and beeps at each full second. First nobody listens, then somebody does.
 */
export async function lips(browser: Browser, script: string, lateMs: number): Promise<Lips> {
  const nals = flashes();
  const is = (...roles: string[]) => nals.filter((nal) => roles.includes(nalRole('h264', nal[0]!)));
  const pictures = is('key', 'picture');
  const codec = new ParameterSets('h264', is('sps', 'pps')).codec()!;
  const source = new FakeSource(codec, systemClock.mono());
  source.sound = PCMU;
  const [startedMs, startedWallMs] = [systemClock.mono(), Date.now()];
  const beep = Buffer.from(Array.from({ length: PIECE_MS * 8 }, (_, i) => (i % 8 < 4 ? 0x80 : 0)));
  const silence = Buffer.alloc(PIECE_MS * 8, 0xff);
  let [shown, said] = [0, 0];
  const cancel = systemClock.every(5, () => {
    const passed = systemClock.mono() - startedMs;
    for (; shown * STEP_MS <= passed; shown++) {
      const keyFrame = shown % pictures.length === 0;
      const nal = withLength(pictures[shown % pictures.length]!);
      const unit: AccessUnit = {
        data: Buffer.concat([...(keyFrame ? [codec.prefix] : []), ...nal]),
        keyFrame,
        time: shown * STEP_MS * 90,
        compositionOffset: 0,
        epoch: 0,
        codec,
        wallMs: startedWallMs + shown * STEP_MS,
        monoMs: startedMs + shown * STEP_MS,
      };
      source.codec = codec;
      source.monoMs = unit.monoMs;
      source.ring.push(unit);
      for (const consumer of [...source.consumers]) consumer.accessUnit(unit);
    }
    for (; said * PIECE_MS + lateMs <= passed; said++)
      source.say(said * PIECE_MS * 8, (said * PIECE_MS) % 1000 < FLASH_MS ? beep : silence);
  });
  const sources = new FakeSources();
  sources.main = source;
  let view: WebRtcView | null = null;
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') return response.setHeader('content-type', 'text/html').end('<video></video>');
    let text = '';
    for await (const chunk of request) text += chunk;
    if (request.method !== 'POST') return response.writeHead(204).end();
    const offer = { viewId: uuidv7(), deviceId: uuidv7(), channel: 1, stream: 'main' as const, iceServers: [] };
    const [log, nothing] = [pino({ level: 'silent' }), () => {}];
    view = new WebRtcView({
      offer: { ...offer, sdp: text },
      sources,
      clock: systemClock,
      log,
      line: nothing,
      end: nothing,
    });
    const answer = await view.answer();
    if (typeof answer === 'string') return response.writeHead(400).end(answer);
    return response.writeHead(201, { location: '/view' }).end(answer.sdp);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const page = await browser.newPage();
  try {
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const code = `${script}\nreturn ${lipsInPage.name}(o, players);`;
    const o = { unheardS: UNHEARD_S, togetherS: COMES_TOGETHER_S, heardS: HEARD_S };
    const seen = await page.evaluate(({ code, o }) => new Function('o', code)(o) as Promise<Heard>, { code, o });
    const late = (flash: number) => (((flash - startedWallMs) % 1000) + 1000) % 1000;
    const before = seen.flashes.filter((flash) => flash < seen.listenedAt);
    return {
      apartMs: seen.beeps.flatMap((beep) => seen.flashes.filter((f) => Math.abs(beep - f) < 500).map((f) => beep - f)),
      // The first ones are of the group that ran.
      unheardMs: before.slice(2).map(late),
      heardMs: seen.flashes.filter((flash) => flash > seen.listenedAt + o.togetherS * 1000).map(late),
    };
  } finally {
    cancel();
    await page.close();
    (view as WebRtcView | null)?.close();
    server.close();
  }
}
