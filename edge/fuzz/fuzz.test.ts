import { describe, expect, it } from 'vitest';
import { DATAGRAMS } from './datagrams.ts';
import { DOCUMENTS } from './documents.ts';
import { fuzz, must } from './fuzz.ts';
import { MEDIA } from './media.ts';
import { Dice, mutate } from './mutate.ts';
import { RECORDINGS } from './recordings.ts';
import { RESTREAM } from './restream.ts';
import { SOAP } from './soap.ts';
import { STREAMS } from './streams.ts';

/* A small part of `npm run fuzz`, which gives a million. */
describe('20,000 mutated datagrams, streams and documents', () => {
  it('crash nothing, invent no event, tear no stream, and leave the heap as it was (DISC-01)', async () => {
    const report = await fuzz([...DATAGRAMS, ...STREAMS, ...DOCUMENTS, ...SOAP, ...RECORDINGS], {
      runs: 20_000,
      seed: 20_260,
    });
    expect(report.runs).toBe(20_000);
    expect(Object.values(report.byTarget).every((count) => count > 500)).toBe(true);
    expect(report.grownBytes).toBeLessThan(16e6);
    // Nothing blows up: this takes tens of milliseconds, and the machine may be busy.
    expect(report.slowest.ms).toBeLessThan(2_000);
  });

  it('and 1,500 of RTSP, SDP, pictures, sound and the requests of viewers do so neither', async () => {
    const report = await fuzz([...MEDIA, ...RESTREAM], { runs: 1_500, seed: 20_261 });
    expect(Object.values(report.byTarget).every((count) => count > 150)).toBe(true);
    expect(report.grownBytes).toBeLessThan(16e6);
    expect(report.slowest.ms).toBeLessThan(2_000);
  });

  it('can be repeated by their seed, and a failure names it', async () => {
    const once = () => mutate(Buffer.from('<a>text</a>'), new Dice(7), [Buffer.from('other')]);
    expect(once()).toEqual(once());
    const broken = { name: 'broken', share: 1, run: () => must(false, 'it does not hold') };
    await expect(fuzz([broken], { runs: 1, seed: 3 })).rejects.toThrow('broken, input 0 of seed 3: it does not hold');
  });
});
