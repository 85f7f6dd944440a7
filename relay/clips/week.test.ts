import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { iso, ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { fragmentKey } from './object-store.ts';
import { asUser, clipReport, ids, SERIAL, startClipRelay } from './testing/relay.ts';
import { sampleClip } from './testing/sample.ts';

const DAY_MS = 86_400_000;

it('footage of a package of seven days: of the first day it is gone on the eighth, of the next one it is there (CLOUD-20)', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-week-'));
  const clock = new ManualClock(Date.UTC(2026, 2, 1, 12));
  const relay = await startClipRelay({ dir, clock, retentionDays: 7 });
  const sample = sampleClip({ seconds: 1 });
  const clips: string[] = [];
  const made = (id: string) => existsSync(join(dir, 'objects/clips', id));
  const play = async (id: string) => {
    const answer = await fetch(`${relay.url}/api/v1/clips/${id}/video`, { headers: asUser() });
    await answer.arrayBuffer();
    return answer.status;
  };
  try {
    // One a day at noon, on days 1 to 8.
    for (let day = 1; day <= 8; day++) {
      if (day > 1) await clock.jump(DAY_MS);
      const clipId = uuidv7();
      clips.push(clipId);
      for (const { data, ...f } of sample) {
        await relay.store.put(fragmentKey(clipId, f.n), Readable.from([data]), f);
        await relay.clips.fragmentStored({ ...f, clipId, boxSerial: SERIAL }, ids.site);
      }
      const report = { state: 'ended', fragments: 1, startedAt: iso(clock.now()), eventIds: [uuidv7()] } as const;
      await relay.report(clipReport(clipId, { ...report, eventIds: [...report.eventIds] }));
      await expect.poll(() => relay.clips.fragments(clipId)).toEqual([]);
    }
    // Day 8 has come: what the eighth day brought stands beside days 2 to 7.
    await clock.advance(600_000);
    await expect.poll(() => made(clips[0]!)).toBe(false);
    expect(clips.map(made)).toEqual([false, ...Array(7).fill(true)]);
    expect(await play(clips[0]!)).toBe(404);
    expect([await play(clips[1]!), await play(clips[7]!)]).toEqual([200, 200]);
    await clock.jump(DAY_MS);
    await expect.poll(() => made(clips[1]!)).toBe(false);
    expect(await play(clips[2]!)).toBe(200);
  } finally {
    await relay.stop();
    rmSync(dir, { recursive: true });
  }
});
