import type { Clock } from '../../protocol/clock.ts';
import type { Db } from '../db/database.ts';
import type { S3Options } from './s3-store.ts';

/** What was put into a bucket just before it was retired may be told of so much later. */
export const LATE_MS = 3_600_000;

/**
 * Notes into which bucket clips are put, and throws where clips lie in one that is not given any more: nobody could play
 * them. `forget`: the operator says that they are elsewhere now, or given up.
 */
export async function settleBuckets(
  db: Db,
  clock: Clock,
  { s3, forget }: { s3: S3Options | null; forget: boolean },
): Promise<void> {
  const now = clock.now();
  for (const { endpoint, bucket, untilMs } of await db.selectFrom('clip_buckets').selectAll().execute()) {
    if (s3?.endpoint === endpoint && s3.bucket === bucket) continue;
    if (!forget && (await holdsClips(db, now, untilMs))) {
      const instead = s3 ? 'Clips are not taken over from one bucket into another. ' : '';
      throw new Error(
        `clips lie in the bucket “${bucket}” at ${endpoint}, and without it nobody can play them. ${instead}Give its --s3-… options again, with --s3-retired if new clips belong into the data directory; or, where all of it was copied or is given up, say --s3-forget once`,
      );
    }
    await db.deleteFrom('clip_buckets').where('endpoint', '=', endpoint).where('bucket', '=', bucket).execute();
  }
  if (!s3) return;
  const { endpoint, bucket } = s3;
  await db
    .insertInto('clip_buckets')
    .values({ endpoint, bucket, untilMs: s3.retired ? now : null })
    .onConflict((c) =>
      c.columns(['endpoint', 'bucket']).doUpdateSet((e) => ({
        untilMs: s3.retired ? e.fn.coalesce('clip_buckets.untilMs', e.val(now)) : null,
      })),
    )
    .execute();
}

async function holdsClips(db: Db, now: number, untilMs: number | null): Promise<boolean> {
  const clip = await db
    .selectFrom('clips')
    .select('id')
    .where('deletedMs', 'is', null)
    .where((e) => e.or([e('expiresMs', 'is', null), e('expiresMs', '>', now)]))
    .$if(untilMs !== null, (q) => q.where('createdMs', '<', Number(untilMs) + LATE_MS))
    .limit(1)
    .executeTakeFirst();
  return clip !== undefined;
}
