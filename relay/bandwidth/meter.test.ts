import { describe, expect, it } from 'vitest';
import { Meter } from './meter.ts';
import { recommend } from './recommend.ts';

/** Feeds so many bytes every 50 ms, from one moment to another. */
function feed(meter: Meter, bytes: number, fromMs: number, toMs: number): void {
  for (let at = fromMs; at < toMs; at += 50) meter.add(bytes, at);
}

describe('Meter', () => {
  it('measures what arrives once the rate has been found', () => {
    const meter = new Meter();
    feed(meter, 500_000, 1_000, 4_000);
    feed(meter, 50_000, 4_000, 9_500);
    expect(meter.result(9_700)).toEqual({ bytes: 30_000_000 + 5_500_000, kbps: 8_000 });
  });

  it('counts silence at the end, and gives no result of too short a time', () => {
    const silent = new Meter();
    feed(silent, 50_000, 0, 5_500);
    expect(silent.result(9_000).kbps).toBeLessThan(4_000);
    const short = new Meter();
    feed(short, 50_000, 0, 4_000);
    expect(short.result(4_100)).toEqual({ bytes: 4_000_000, kbps: null });
    expect(new Meter().result(9_000)).toEqual({ bytes: 0, kbps: null });
  });
});

describe('recommend', () => {
  const limit = { model: 'X', firmware: '', channels: 2, maxWidth: 4096, maxHeight: 2160, maxKbps: 5120 };

  it('recommends channels and definition of a link of 8 and of 1 Mbit/s, within link and model (CLOUD-14, CLOUD-16)', () => {
    expect(recommend(8_000, 4, limit)).toMatchObject({ channels: 2, definition: '1920*1080', maxChannels: 2 });
    expect(recommend(8_000, 1, null)).toMatchObject({ channels: 1, definition: '2560*1440', maxChannels: null });
    expect(recommend(8_000, 16, null)).toMatchObject({ channels: 5, definition: '1280*720' });
    expect(recommend(1_000, 4, limit)).toMatchObject({ channels: 1, definition: '640*360', kbps: 512 });
    expect(recommend(300, 1, limit)).toBeNull();
  });

  it('never takes more of the link than is safe, and no better picture than the model gives', () => {
    for (const kbps of [500, 900, 3_000, 8_000, 25_000, 1_000_000]) {
      const best = recommend(kbps, 16, null);
      for (const choice of best?.choices ?? []) expect(choice.channels * choice.kbps).toBeLessThanOrEqual(kbps * 0.7);
    }
    const small = recommend(1_000_000, 9, { ...limit, channels: 4, maxHeight: 1080, maxKbps: 1_500 });
    expect(small).toMatchObject({ channels: 4, definition: '1920*1080', kbps: 1_500 });
    expect(small?.choices.map((choice) => choice.definition)).not.toContain('3840*2160');
  });
});
