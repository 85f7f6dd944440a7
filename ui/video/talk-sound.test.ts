import { expect, it } from 'vitest';
import { decodeG711 } from './g711.ts';
import { Resampler, TalkFrames, toMuLaw } from './talk-sound.ts';

const sine = (hz: number, rate: number, seconds: number) =>
  Float32Array.from({ length: rate * seconds }, (_, n) => 0.5 * Math.sin((2 * Math.PI * hz * n) / rate));
/** In pieces as a worklet gets them. */
const pieces = (all: Float32Array) =>
  Array.from({ length: Math.ceil(all.length / 128) }, (_, n) => all.subarray(n * 128, (n + 1) * 128));
const level = (samples: ArrayLike<number>) =>
  Math.sqrt(Array.from(samples).reduce((sum, sample) => sum + sample * sample, 0) / samples.length);

it('makes µ-law of what it hears, as G.711 has it', () => {
  expect([0, 32_124, -32_124, 132].map((value) => toMuLaw(value / 32_767))).toEqual([0xff, 0x80, 0x00, 0xef]);
  for (let code = 0; code < 256; code++) {
    const [sample] = decodeG711('pcmu', Uint8Array.of(code));
    // Two codes for nothing.
    if (code !== 0x7f) expect(toMuLaw((sample! * 32_768) / 32_767)).toBe(code);
  }
  expect([2, -2].map(toMuLaw)).toEqual([0x80, 0x00]);
});

it.each([48_000, 44_100, 16_000, 8_000])('resamples %i Hz: speech stays, what telephones do not carry goes', (rate) => {
  const heard = (hz: number) => {
    const resampler = new Resampler(rate);
    const out = pieces(sine(hz, rate, 1)).flatMap((piece) => resampler.push(piece));
    return { out, level: level(out.slice(400, -400)) / (0.5 * Math.SQRT1_2) };
  };
  const { out, level: speech } = heard(1_000);
  expect(Math.abs(out.length - 8_000)).toBeLessThan(60);
  expect(speech).toBeCloseTo(1, 1);
  const crossings = out.slice(1).filter((sample, n) => sample < 0 !== out[n]! < 0).length;
  expect(crossings / 2).toBeCloseTo(1_000, -2);
  // It would come back as a whistle.
  if (rate > 16_000) expect(heard(6_000).level).toBeLessThan(0.02);
});

it('gives frames of 20 ms, with how loud they are', () => {
  const frames = new TalkFrames(48_000);
  const made = pieces(sine(400, 48_000, 1)).flatMap((piece) => frames.push(piece));
  expect(made.length).toBeGreaterThanOrEqual(49);
  expect(made.every(({ mu }) => mu.length === 160)).toBe(true);
  expect(made[20]!.level).toBeCloseTo(0.35, 1);
});
