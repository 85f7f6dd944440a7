import { type DeviceProfile, isCamera, isRecorder } from '../devices/profile.ts';
import { plainTracks, type TrackOdd } from './recorded-session.ts';
import { plainReplay, type ReplayOdd } from './replay-session.ts';

export type RecordKind = 'timing' | 'motion' | 'alarm' | 'manual';
/** One file on the device's disk, in Unix milliseconds. */
export interface Recorded {
  fromMs: number;
  toMs: number;
  kind: RecordKind;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const KEPT_DAYS = 7;
const FILE_MS = HOUR_MS / 2;
/** Its own local time is two hours ahead of UTC, summer and winter. */
const OFFSET_MS = 2 * HOUR_MS;

/**
 * What a device has recorded: files of half an hour over the last week, except for a while every night in which its disk was
 * away. The pictures of any moment are drawn when they are asked for. Tests set their own.
 */
export class Recordings {
  readonly #profile: DeviceProfile;
  readonly #nowMs: () => number;
  #own: Recorded[] | null = null;
  /** What its encoder made of the pictures then. */
  codec: 'h264' | 'h265';
  /** How it is replayed by ONVIF. */
  replay: ReplayOdd = { ...plainReplay };
  /** Its clock was so much ahead when it recorded. */
  aheadMs = 0;
  /** How it plays its tracks over RTSP. */
  tracks: TrackOdd = { ...plainTracks };
  /** Headers of the last PLAY by ONVIF. */
  played: Record<string, string> = {};
  /** Draws what was recorded; null: there is no video in this lab. */
  python: string | null = null;

  constructor(profile: DeviceProfile, nowMs: () => number = Date.now) {
    this.#profile = profile;
    this.codec = profile.codec === 'h265' ? 'h265' : 'h264';
    this.#nowMs = nowMs;
  }

  /** null: as it was before. */
  set(files: Recorded[] | null): void {
    this.#own = files;
  }

  /** What was recorded in [fromMs, toMs) without a break: one file goes over into the next one. */
  spans(fromMs: number, toMs: number): [number, number][] {
    const spans: [number, number][] = [];
    for (const file of this.between(fromMs, toMs)) {
      const [from, to] = [Math.max(file.fromMs, fromMs), Math.min(file.toMs, toMs)];
      const last = spans.at(-1);
      if (last && last[1] >= from) last[1] = Math.max(last[1], to);
      else spans.push([from, to]);
    }
    return spans;
  }

  /** In order of time, what overlaps [fromMs, toMs). */
  between(fromMs: number, toMs: number): Recorded[] {
    if (this.#own) return this.#own.filter((f) => f.fromMs < toMs && f.toMs > fromMs);
    const { kind, password, light } = this.#profile;
    if (light || password === null || !(isCamera(kind) || isRecorder(kind) || kind === 'onvif-nvr')) return [];
    const now = this.#nowMs();
    const first = Math.max(fromMs, now - KEPT_DAYS * DAY_MS);
    const files: Recorded[] = [];
    for (let at = Math.floor(first / FILE_MS) * FILE_MS; at < Math.min(toMs, now); at += FILE_MS) {
      // Last night, and those before, the disk was away from 03:10 to 03:45 UTC.
      const night = Math.floor(at / DAY_MS) * DAY_MS + 3 * HOUR_MS;
      const away = night < now - DAY_MS / 2;
      const from = away && at === night + FILE_MS ? night + 45 * 60_000 : at;
      const to = away && at === night ? night + 10 * 60_000 : Math.min(at + FILE_MS, now);
      const moved = (at / FILE_MS) % 6 === 5;
      if (from < to && from < toMs && to > fromMs)
        files.push({ fromMs: from, toMs: to, kind: moved ? 'motion' : 'timing' });
    }
    return files;
  }

  /** `20261122T101500Z`, as this firmware means it: most of them write their local time and call it Z. */
  read(label: string): number {
    const [, y, mo, d, h, mi, s] = /^(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)/.exec(label) ?? [];
    return Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s)) - this.offsetMs;
  }
  label(ms: number): string {
    return `${new Date(ms + this.offsetMs).toISOString().slice(0, 19)}Z`;
  }

  get offsetMs(): number {
    return (this.#profile.odd.time === 'falseZ' ? OFFSET_MS : 0) + this.aheadMs;
  }
  get profile(): DeviceProfile {
    return this.#profile;
  }
}
