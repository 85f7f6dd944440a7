import type { Viewing } from '../../protocol/wire/video.ts';

/** Tables of this folder, part of the relay's Database. */
export interface VideoTables {
  /** One row for each look at pictures. */
  viewings: {
    id: string;
    siteId: string;
    deviceId: string;
    /** As it was called then. */
    deviceName: string;
    channel: number;
    kind: Viewing['kind'];
    path: Viewing['path'];
    /** null: nobody signed in looked, or the person was erased. */
    userId: string | null;
    companyId: string | null;
    /** Of a look by a shared link: what the link is called. */
    link: string | null;
    fromAt: string | null;
    toAt: string | null;
    startedMs: number;
    /** Until when it is known to have gone on. */
    seenMs: number;
    /** null: it goes on. */
    endedMs: number | null;
  };
  /** Devices whose pictures are seen only after a code. */
  picture_locks: { deviceId: string; codeHash: string; setMs: number };
}
