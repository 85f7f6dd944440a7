import { Readable } from 'node:stream';
import type { Context } from 'hono';
import { z } from 'zod';
import { type PlaybackQuery, RecordingList, type StreamName } from '../../protocol/wire/video.ts';
import type { ApiEnv } from '../api/app.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Principal } from '../auth/sessions.ts';
import { GuestPlaces } from './guest-places.ts';
import { mediaSocket } from './media-socket.ts';
import { OwnStream, openBoxMedia } from './media-stream.ts';
import type { BoxDevice, Watching } from './watching.ts';

/** A recorder searches its disks. */
const SEARCH_MS = 40_000;
const MAX_LIST_MS = 31 * 86_400_000;
const MAX_FILE_MS = 3_600_000;

const Days = z.object({ days: z.array(z.int().min(1).max(31)).max(31) });

interface Range {
  channel: number;
  stream: StreamName;
  from: string;
  to: string;
}

/** What devices have recorded themselves, through the relay: lists, a socket a window, files. */
export class Recordings {
  readonly #watching: Watching;
  readonly #guests = new GuestPlaces();

  constructor(watching: Watching) {
    this.#watching = watching;
  }

  async list(c: Context<ApiEnv>, deviceId: string, range: Range): Promise<RecordingList> {
    const device = await this.#device(c, deviceId);
    checkRange(range, MAX_LIST_MS, 'A list is of 31 days at most.');
    return this.#watching.parts.box.json(device.boxSerial, RecordingList, 'POST', '/v1/playback/search', {
      body: { deviceId: device.id, ...range },
      timeoutMs: SEARCH_MS,
    });
  }

  async days(c: Context<ApiEnv>, deviceId: string, channel: number, month: string): Promise<{ days: number[] }> {
    const device = await this.#device(c, deviceId);
    return this.#watching.parts.box.json(device.boxSerial, Days, 'POST', '/v1/playback/days', {
      body: { deviceId: device.id, channel, month },
      timeoutMs: SEARCH_MS,
    });
  }

  /** Answers with a socket of what was recorded: one window, with the box waiting for whoever looks. */
  async socket(c: Context<ApiEnv>, query: PlaybackQuery): Promise<Response> {
    const device = await this.#device(c, query.deviceId);
    checkRange(query, MAX_LIST_MS, 'At most 31 days are played in one go.');
    const { parts, viewings } = this.#watching;
    const who = c.get('principal');
    const { channel, from, to } = query;
    return mediaSocket(c, parts, {
      open: async () => {
        const leave = await this.#place(who, device);
        const looked = await viewings
          .open({ who, device, channel, kind: 'playback', from, to, path: 'relay' })
          .catch((error) => {
            leave();
            throw error;
          });
        const end = (shownTo?: string) => {
          leave();
          return looked.end(shownTo);
        };
        const viewing = { id: looked.id, path: looked.path, end };
        const path = `/v1/playback/stream?${asQuery({ ...query, accept: query.accept.join(',') })}`;
        const open = (signal: AbortSignal) => openBoxMedia({ hub: parts.hub, serial: device.boxSerial, path, signal });
        return { viewing, stream: new OwnStream(open) };
      },
      check: (scope) => this.#still(c, scope, device),
      live: false,
    });
  }

  /** One MP4, as it comes from the device: nothing of it is kept here. */
  async file(c: Context<ApiEnv>, deviceId: string, range: Range): Promise<Response> {
    const device = await this.#device(c, deviceId);
    checkRange(range, MAX_FILE_MS, 'A file has an hour at most: take it in parts.');
    const { parts, viewings } = this.#watching;
    const { channel, from, to } = range;
    const abort = new AbortController();
    const query = asQuery({ deviceId: device.id, ...range, accept: 'h264,h265', speed: 1 });
    const who = c.get('principal');
    const leave = await this.#place(who, device);
    const body = await openBoxMedia({
      hub: parts.hub,
      serial: device.boxSerial,
      signal: abort.signal,
      path: `/v1/playback/file?${query}`,
      type: 'video/mp4',
    }).catch((error) => {
      leave();
      throw error;
    });
    body.once('close', leave);
    const looked = await viewings
      .open({ who, device, channel, kind: 'download', from, to, path: 'relay' })
      .catch((error) => {
        body.destroy();
        abort.abort();
        throw error;
      });
    const over = () => body.destroy(new Error('the right to this recording has ended'));
    const principal = c.get('principal');
    const owned = [
      parts.sessions.onEnd((id) => id === principal.id && over()),
      parts.leases.hold(async () => this.#still(c, await c.get('scopeNow')(), device), over),
    ];
    body.once('close', () => {
      for (const release of owned) release();
      abort.abort();
      void looked.end();
    });
    c.set('audit', { always: true, detail: `channel ${channel}, ${from} to ${to}` });
    return c.body(Readable.toWeb(body) as ReadableStream<Uint8Array>, 200, {
      'content-type': 'video/mp4',
      'content-disposition': attachment(device.name, range),
      // Nobody knows how long it will be: one that broke off is gone on with from the time at which it ends.
      'accept-ranges': 'none',
      'cache-control': 'private, no-store',
    });
  }

  /** One of the box's: returns the release. @throws ProblemError `limit-reached` */
  async #place(who: Principal, device: BoxDevice): Promise<() => void> {
    return (await this.#watching.owns(who, device)) ? () => {} : this.#guests.take(device);
  }

  async #device(c: Context<ApiEnv>, deviceId: string): Promise<BoxDevice> {
    const device = await this.#watching.device(c.get('scope'), deviceId, 'playback');
    await this.#watching.locks.must(c.get('principal'), device.id);
    return device;
  }

  async #still(c: Context<ApiEnv>, scope: Scope, device: BoxDevice): Promise<void> {
    const now = await this.#watching.device(scope, device.id, 'playback');
    if (now.boxSerial !== device.boxSerial) throw new ProblemError('not-found');
    await this.#watching.locks.must(c.get('principal'), device.id);
  }
}

/** Of which camera and time it is, in UTC; the plain name for what knows no other (RFC 6266 §4.3). */
function attachment(device: string, { channel, from, to }: Range): string {
  const at = (time: string) => new Date(time).toISOString().slice(0, 19).replace(/:/g, '-');
  const times = `${channel}-${at(from)}Z--${at(to)}Z.mp4`;
  const named = encodeURIComponent(`${device.replace(/[\\/:*?"<>|\p{C}]/gu, '_').slice(0, 64)}-${times}`);
  return `attachment; filename="recording-${times}"; filename*=UTF-8''${named.replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`;
}

const asQuery = (query: Record<string, string | number>) =>
  new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));

function checkRange({ from, to }: { from: string; to: string }, maxMs: number, text: string): void {
  const length = Date.parse(to) - Date.parse(from);
  if (!(length > 0)) throw new ProblemError('invalid-request', 'The end must be after the beginning.');
  if (length > maxMs) throw new ProblemError('invalid-request', text);
}
