import type { ColumnType } from 'kysely';

/** `swept` of a clip of whose fragments nothing is left: neither objects nor rows. */
export const JOINED = 2;
/** `swept` of a clip of whose fragments the objects are left, and of the rows one: that of `clip_lists`. */
export const LISTED = 3;

/** Tables of this folder, part of the relay's Database. */
export interface ClipTables {
  /** One row for each clip that a box reported. */
  clips: {
    id: string;
    siteId: string;
    boxSerial: string;
    deviceId: string;
    channel: number;
    /** JSON array, in the order of the report. */
    eventIds: string;
    /** As the box last said; what people see is computed from it and from what has arrived. */
    boxState: 'recording' | 'ended' | 'incomplete' | 'held';
    kind: 'event' | 'continuous';
    stream: 'main' | 'sub';
    twinId: string | null;
    /** Of the site's key that its fragments are encrypted with; null: they are not. */
    keyId: string | null;
    audioCodec: string | null;
    /** JSON array of {atMs, durationMs}. */
    gaps: string;
    /** When it is deleted; null: not known yet (of an earlier version). */
    expiresMs: number | null;
    /** Somebody deleted it: its row stays until it expires, so that what its box still sends is not taken for new. */
    deletedMs: ColumnType<number | null, number | null | undefined>;
    startedAt: string;
    preRollMs: number;
    durationMs: number;
    codec: string;
    width: number;
    height: number;
    fragments: number | null;
    reason: string | null;
    /** Journal sequence of the report. */
    seq: number;
    createdMs: number;
    reportedMs: number;
    /** Size of the joined file, or of the content of the listed parts; null while the clip is its fragments. */
    joinedSize: number | null;
    /** Of the file, once the rows that it is computed from are gone; null before. A hash over the hashes of all parts. */
    etag: ColumnType<string | null, string | null | undefined>;
    /** After joining: 1 once the fragments' objects are deleted, {@link JOINED} once their rows are too; or {@link LISTED}. */
    swept: number;
  };
  clip_events: { eventId: string; clipId: string };
  /** One row for each fragment stored, also before the first report of its clip; until the clip is joined or listed. */
  clip_fragments: {
    clipId: string;
    n: number;
    boxSerial: string;
    size: number;
    sha256: string;
    durationMs: number;
    keyFrame: number;
    storedMs: number;
    /** First decode time and length in the track's timescale, as the fragment itself says; null: it does not say. */
    decodeTime: number | null;
    ticks: number | null;
  };
  /** Parts of a complete clip that are objects of their own: see `clip-list.ts`. */
  clip_lists: { clipId: string; parts: string };
  /** Object stores that clips were put into; since `untilMs` no more, null: they are yet. */
  clip_buckets: { endpoint: string; bucket: string; untilMs: number | null };
  /** What a box may put into an object store and has not said to be there. */
  clip_grants: { clipId: string; n: number; grantedMs: number };
  /** One a site: what its footage is encrypted with, sealed in the vault. */
  site_keys: { id: string; siteId: string; sealed: string; createdMs: number };
  /** Bytes that a site's footage takes where it is stored. */
  site_storage: { siteId: string; bytes: number };
  /** Links by which somebody without an account may see a clip; only a hash of each token is kept. */
  clip_shares: {
    id: string;
    tokenHash: string;
    clipId: string;
    /** Who shared it: it shows only what they may still see. */
    companyId: string;
    userId: string;
    note: string;
    createdMs: number;
    untilMs: number;
    revokedMs: number | null;
    views: number;
    viewedMs: number | null;
  };
}
