import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { iso } from '../protocol/clock.ts';
import { uuidv7 } from '../protocol/wire/ids.ts';
import { fragmentKey } from '../relay/clips/object-store.ts';
import { asUser, clipReport, SERIAL, startClipRelay } from '../relay/clips/testing/relay.ts';
import { SmallS3 } from '../relay/clips/testing/s3.ts';
import { sampleClip } from '../relay/clips/testing/sample.ts';
import { databaseBytes } from '../relay/db/dialect.ts';
import { percentile } from './percentile.ts';

const SECONDS = 300;
const YEAR = 365 * 288;

/** Clips in an object store: what they take of the database, and how long it takes to serve them, as rows and as lists. */
export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  const clips = quick ? 20 : 288;
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-bench-clips-'));
  const s3 = await new SmallS3().start();
  const sample = sampleClip({ seconds: SECONDS, bitrate: '200k' });
  const made = Array.from({ length: clips }, (_, i) => uuidv7(1_772_000_000_000 + i * SECONDS * 1000));
  let relay = await startClipRelay({ dir, s3: s3.options, joins: false });
  try {
    const empty = await databaseBytes(relay.db);
    for (const [i, clipId] of made.entries()) {
      for (const { n, data } of sample) s3.objects.set(fragmentKey(clipId, n), data);
      const rows = sample.map(({ n, data, durationMs, keyFrame }) => ({
        clipId,
        n,
        durationMs,
        boxSerial: SERIAL,
        size: data.length,
        keyFrame: keyFrame ? 1 : 0,
        storedMs: 1,
        sha256: randomBytes(32).toString('hex'),
        decodeTime: n === 0 ? null : (n - 1) * 12_800,
        ticks: n === 0 ? null : 12_800,
      }));
      await relay.db.insertInto('clip_fragments').values(rows).execute();
      const report = { state: 'ended', kind: 'continuous', eventIds: [], fragments: sample.length - 1 } as const;
      const startedAt = iso(1_772_000_000_000 + i * SECONDS * 1000);
      await relay.report(clipReport(clipId, { ...report, eventIds: [], startedAt, durationMs: SECONDS * 1000 }));
    }
    const measured = async (as: string) => {
      await sql`vacuum`.execute(relay.db).catch(() => {});
      const count = async (table: 'clip_fragments' | 'clip_lists') =>
        Number(
          (
            await relay.db
              .selectFrom(table)
              .select((e) => e.fn.countAll().as('n'))
              .executeTakeFirstOrThrow()
          ).n,
        );
      const rows = (await count('clip_fragments')) + (await count('clip_lists'));
      const bytes = ((await databaseBytes(relay.db)) - empty) / clips;
      const took: number[] = [];
      for (let i = 0; i < (quick ? 60 : 400); i++) {
        const from = 100_000 + ((i * 1_048_573) % 5_000_000);
        const headers = { ...asUser(), range: `bytes=${from}-${from + 65_535}` };
        const began = performance.now();
        const answer = await fetch(`${relay.url}/api/v1/clips/${made[i % clips]}/video`, { headers });
        if (answer.status !== 206 || (await answer.arrayBuffer()).byteLength !== 65_536) throw new Error('not served');
        if (i >= 20) took.push(performance.now() - began);
      }
      emit({
        bench: `clips, ${as}`,
        clips,
        rowsPerClip: rows / clips,
        bytesPerClip: Math.round(bytes),
        aChannelYear: { rows: (rows / clips) * YEAR, megabytes: Math.round((bytes * YEAR) / 1e6) },
        serveP50Ms: percentile(took, 50),
        serveP95Ms: percentile(took, 95),
        unit: '64 KiB by range',
      });
    };
    await measured('a row for each part');
    const began = performance.now();
    await relay.stop();
    relay = await startClipRelay({ dir, s3: s3.options });
    while (await relay.db.selectFrom('clips').select('id').where('swept', '=', 0).limit(1).executeTakeFirst())
      await new Promise((resolve) => setTimeout(resolve, 20));
    emit({ bench: 'clips, put together', clips, seconds: (performance.now() - began) / 1000 });
    await measured('a list for each clip');
  } finally {
    await relay.stop();
    await s3.stop();
    rmSync(dir, { recursive: true });
  }
}
