import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { decodeG711 } from '../video/g711.ts';

/** Of the tone that the browser's microphone hears: so long in each second. */
const BEEP_MS = 400;
export const BEEP_HZ = 1_000;
const RATE = 48_000;
const FRAME = 160;
const LOUD = 0.02;

/** A microphone for Chromium that nobody has to allow, with a tone in it. */
export class Microphone {
  readonly #dir = mkdtempSync(join(tmpdir(), 'gatepost-microphone-'));

  /** What Chromium is started with. */
  get arguments(): string[] {
    const file = join(this.#dir, 'beep.wav');
    writeFileSync(file, wav());
    const fake = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
    return [...fake, `--use-file-for-fake-audio-capture=${file}`];
  }

  stop(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** A second of it, 16 bits, mono. */
function wav(): Buffer {
  const data = Buffer.alloc(RATE * 2);
  for (let n = 0; n < (RATE * BEEP_MS) / 1000; n++)
    data.writeInt16LE(Math.round(16_000 * Math.sin((2 * Math.PI * BEEP_HZ * n) / RATE)), n * 2);
  const head = Buffer.alloc(44);
  head.write('RIFF');
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(RATE, 24);
  head.writeUInt32LE(RATE * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

/** From now on, when each frame goes out of the page is kept with it. */
export const keepSent = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const own = window as unknown as { sent?: { atMs: number; mu: number[] }[] };
    own.sent = [];
    if (WebSocket.prototype.send.name === 'kept') return;
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function kept(data: Parameters<typeof send>[0]) {
      if (data instanceof Uint8Array) own.sent!.push({ atMs: Date.now(), mu: [...data] });
      return send.call(this, data);
    };
  });

export const sentBy = async (page: Page): Promise<Onset[]> => {
  const sent = await page.evaluate(() => (window as unknown as { sent: { atMs: number; mu: number[] }[] }).sent);
  return onsets(sent.map(({ atMs, mu }) => ({ atMs, sound: decodeG711('pcmu', Uint8Array.from(mu)) })));
};

/** When a tone began. */
type Onset = number;
interface Piece {
  atMs: number;
  sound: Float32Array;
}

function onsets(pieces: Piece[]): Onset[] {
  const found: Onset[] = [];
  let quietMs = 0;
  for (const { atMs, sound } of pieces) {
    const loud = sound.some((sample) => Math.abs(sample) > LOUD);
    if (loud && quietMs >= 200) found.push(atMs);
    quietMs = loud ? 0 : quietMs + sound.length / 8;
  }
  return found;
}

/** What a loudspeaker of the lab heard since it was asked last. */
export async function heardAt(lab: string, name: string) {
  const answer = await fetch(`${lab}/devices/${name}/do/heard`, { method: 'POST', body: '{"forget":true}' });
  const told = (await answer.json()) as {
    bytes: number;
    pieces: { atMs: number; at: number; bytes: number }[];
    base64: string;
  };
  const sound = decodeG711('pcmu', Buffer.from(told.base64, 'base64'));
  const pieces = told.pieces.flatMap(({ atMs, at, bytes }) =>
    Array.from({ length: Math.ceil(bytes / FRAME) }, (_, n) => ({
      atMs,
      sound: sound.subarray(at + n * FRAME, Math.min(at + bytes, at + (n + 1) * FRAME)),
    })),
  );
  return { bytes: told.bytes, lastMs: told.pieces.at(-1)?.atMs ?? 0, began: onsets(pieces), hz: pitch(sound) };
}

/** Of what is loud, by how often it crosses zero; null: nothing is. */
function pitch(sound: Float32Array): number | null {
  let [crossings, samples] = [0, 0];
  // A tenth of a second at a time, in the middle of a tone.
  for (let from = 0; from + 800 <= sound.length; from += 400) {
    const part = sound.subarray(from, from + 800);
    const loud = (piece: Float32Array) => Math.max(...piece) > LOUD * 2;
    if (!loud(part.subarray(0, 160)) || !loud(part.subarray(320, 480)) || !loud(part.subarray(640))) continue;
    for (let n = 1; n < part.length; n++) if (part[n - 1]! < 0 !== part[n]! < 0) crossings++;
    samples += part.length - 1;
  }
  return samples === 0 ? null : (crossings / 2 / samples) * 8_000;
}

/** How long sound was on its way, in ms: of each tone that was heard, from the page's socket to the loudspeaker. */
export const underWay = (sent: Onset[], heard: Onset[]): number[] =>
  heard.flatMap((at) => {
    const said = sent.filter((one) => one <= at + 5).at(-1);
    return said !== undefined && at - said < 900 ? [at - said] : [];
  });
