import { iso } from '../../protocol/clock.ts';
import type { Viewing } from '../../protocol/wire/video.ts';
import type { Db } from '../db/database.ts';
import type { PictureLocks } from '../video/picture-locks.ts';
import type { Viewings, Watcher } from '../video/viewings.ts';
import type { ClipRow } from './clip-file.ts';

export interface Looks {
  db: Db;
  viewings: Viewings;
}

/** Who looks as themselves enters the code that the device's owner asks for (LIVE-04); a shared link was made by who had. */
export interface LockedLooks extends Looks {
  locks: Pick<PictureLocks, 'must' | 'open'>;
}

/** Writes down that somebody looks at a clip, before anything of it is sent. Of a device that is gone there is no log. */
export async function lookAt(
  { db, viewings }: Looks,
  who: Watcher,
  kind: Exclude<Viewing['kind'], 'live' | 'playback'>,
  clip: ClipRow,
): Promise<void> {
  const device = await db.selectFrom('devices').selectAll().where('id', '=', clip.deviceId).executeTakeFirst();
  if (!device) return;
  const { channel, startedAt } = clip;
  // Posters are shown by the dozen: one look at a channel. A clip stays with the site that it was recorded at.
  const of = kind === 'snapshot' ? {} : { from: startedAt, to: iso(Date.parse(startedAt) + Number(clip.durationMs)) };
  const looked = await viewings.open({
    who,
    device: { ...device, siteId: clip.siteId },
    channel,
    kind,
    path: 'relay',
    ...of,
  });
  await looked.end();
}
