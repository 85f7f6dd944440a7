import { PassThrough } from 'node:stream';
import type { Clock } from '../../protocol/clock.ts';
import { MAX_TALK_MS } from '../../protocol/wire/talk.ts';
import { document, failure, type IsapiFailure, judge, type Result } from '../isapi/answer.ts';
import { type IsapiDevice, isAbsent } from '../isapi/isapi-device.ts';
import { clean, list, text } from '../isapi/xml.ts';
import { canEncode, encoderFor, type SoundEncoder, type SoundFormat } from './encoder.ts';
import { MAX_UNSENT_BYTES, type Speaker } from './speaker.ts';

/** A loudspeaker as the device lists it (ISAPI System/TwoWayAudio). */
export interface TalkChannel {
  id: string;
  /** In the device's own word. */
  codec: string;
  /** null: nothing that the box can make. */
  format: SoundFormat | null;
  /** Video channels that it belongs to, where the device says so. */
  inputs: number[];
}

const CHANNELS = '/System/TwoWayAudio/channels';
const MAX_CHANNELS = 64;
const CLOSE_MS = 2_000;
const OPEN_MS = 4_000;
/** Nothing was refused for so long after the first sound: it is taken. Some answer at once, some at the end. */
const QUIET_MS = 400;
const BUSY = /InProgress|busy|maxSession/i;

/** Those that can be spoken through; none, where it has no two-way audio. */
export async function readTalkChannels(device: IsapiDevice, signal?: AbortSignal): Promise<Result<TalkChannel[]>> {
  const answer = await device.ask(CHANNELS, { signal });
  if (!answer.ok) return isAbsent(answer) ? { ok: true, value: [] } : answer;
  const root = document(answer.value.body, 'TwoWayAudioChannelList') ?? '';
  const value = list(root, 'TwoWayAudioChannel')
    .slice(0, MAX_CHANNELS)
    .flatMap((node): TalkChannel[] => {
      const id = text(node, 'id');
      if (!/^\d{1,9}$/.test(id) || text(node, 'lineOutForbidden') === 'true') return [];
      // What it wants to hear may differ from what it sends.
      const codec = clean(text(node, 'audioInboundCompressionType') || text(node, 'audioCompressionType'), 32);
      const inputs = list(node, 'associateVideoInputs', 'videoInputChannelList', 'videoInputChannelID')
        .map(Number)
        .filter((input) => Number.isInteger(input) && input > 0);
      return [{ id, codec, format: formatOf(codec, Number(text(node, 'audioSamplingRate'))), inputs }];
    });
  return { ok: true, value };
}

/** Rates stand there in kHz, with some firmware in Hz; without one it is what two-way audio has by default. */
function formatOf(codec: string, said: number): SoundFormat | null {
  const name = codec.toLowerCase().replaceAll(/[\s._-]/g, '');
  const rate = said >= 1 && said <= 96 ? said * 1000 : said;
  const formats: Record<string, SoundFormat> = {
    g711ulaw: { kind: 'pcmu', rate: 8_000 },
    g711mulaw: { kind: 'pcmu', rate: 8_000 },
    g711u: { kind: 'pcmu', rate: 8_000 },
    g711alaw: { kind: 'pcma', rate: 8_000 },
    g711a: { kind: 'pcma', rate: 8_000 },
    pcm: { kind: 'pcm', rate: rate || 8_000 },
    aac: { kind: 'aac', rate: rate || 16_000 },
    aaclc: { kind: 'aac', rate: rate || 16_000 },
    mp2l2: { kind: 'mp2', rate: rate || 16_000 },
  };
  const format = formats[name];
  return format && canEncode(format) ? format : null;
}

/**
 * The loudspeaker of a video channel: the one that is said to belong to it, else the device's only one. A recorder's own
 * stands where the recorder does: `recorder`, so that a person is told.
 */
export function talkChannelOf(
  all: TalkChannel[],
  channel: number,
  isRecorder: boolean,
): { talk: TalkChannel; recorder: boolean } | null {
  const named = all.find(({ inputs }) => inputs.includes(channel));
  if (named) return { talk: named, recorder: false };
  const own = all.filter(({ inputs }) => inputs.length === 0);
  const talk = isRecorder ? own[0] : (own.find(({ id }) => Number(id) === channel) ?? all[0]);
  return talk ? { talk, recorder: isRecorder } : null;
}

/**
 * Opens it, and sends it sound as one request that goes on (isapi.md §14): a session that somebody left open is closed
 * before, the header says `Content-Length: 0` and sound follows all the same, G.711 and PCM as they are, frames of AAC and
 * MP2 behind their length.
 */
export async function openIsapiSpeaker(
  device: IsapiDevice,
  talk: TalkChannel,
  o: { clock: Clock; signal?: AbortSignal; ffmpeg?: string },
): Promise<Result<Speaker>> {
  const { format, id } = talk;
  if (!format)
    return failure(
      'speaker-codec',
      talk.codec ? `It takes sound as ${talk.codec} only.` : 'It does not say which sound it takes.',
    );
  const { client } = device;
  const path = `${CHANNELS}/${id}`;
  const { signal } = o;
  const closed = await client.request('PUT', `${path}/close`, { timeoutMs: OPEN_MS, signal });
  if (!closed.ok) return closed;
  const opened = await client.request('PUT', `${path}/open`, { timeoutMs: OPEN_MS, signal });
  const fault = opened.ok ? judge(opened.value) : opened;
  if (fault) {
    // It may have opened all the same.
    void client.request('PUT', `${path}/close`, { timeoutMs: CLOSE_MS, last: true });
    return BUSY.test(fault.subStatus ?? '') ? failure('speaker-busy', 'Its loudspeaker is in use.') : fault;
  }
  const session = opened.ok ? text(document(opened.value.body, 'TwoWayAudioSession') ?? '', 'sessionId') : '';
  const query = /^[\w-]{1,128}$/.test(session) ? `?sessionId=${session}` : '';
  return { ok: true, value: new IsapiSpeaker({ ...o, device, path, query, codec: talk.codec, format }) };
}

class IsapiSpeaker implements Speaker {
  readonly codec: string;
  readonly ended: Promise<IsapiFailure>;
  readonly #device: IsapiDevice;
  readonly #path: string;
  readonly #encoder: SoundEncoder;
  readonly #framed: boolean;
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  readonly #said: () => void;
  #end!: (why: IsapiFailure) => void;
  /** Sound on its way; another one when the request had to be made again. */
  #way = new PassThrough();
  #answered = false;
  #sinceMs: number | null = null;
  #closing: Promise<void> | null = null;

  constructor(o: {
    device: IsapiDevice;
    path: string;
    query: string;
    codec: string;
    format: SoundFormat;
    clock: Clock;
    ffmpeg?: string;
  }) {
    this.codec = o.codec;
    this.#device = o.device;
    this.#path = o.path;
    this.#clock = o.clock;
    this.#framed = o.format.kind === 'aac' || o.format.kind === 'mp2';
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#encoder = encoderFor(o.format, {
      out: (sound) => this.#send(sound),
      failed: (why) => this.#end(failure('speaker-codec', why)),
      log: o.device.log,
      ffmpeg: o.ffmpeg,
    });
    // Whatever ends the connection to the device, its loudspeaker is not left open.
    this.#said = o.device.client.lastWords.due(() => this.close());
    void this.#stream(`${o.path}/audioData${o.query}`);
  }

  get taking(): boolean {
    return this.#answered || (this.#sinceMs !== null && this.#clock.mono() - this.#sinceMs >= QUIET_MS);
  }

  write(mu: Buffer): boolean {
    if (this.#closing || this.#way.writableLength + this.#way.readableLength > MAX_UNSENT_BYTES) return false;
    this.#encoder.push(mu);
    return true;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#said();
    this.#encoder.end();
    this.#abort.abort();
    this.#way.destroy();
    await this.#device.client.request('PUT', `${this.#path}/close`, { timeoutMs: CLOSE_MS, last: true });
  }

  #send(sound: Buffer): void {
    if (this.#closing) return;
    this.#sinceMs ??= this.#clock.mono();
    if (this.#framed) {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(sound.length);
      this.#way.write(length);
    }
    this.#way.write(sound);
  }

  async #stream(path: string): Promise<void> {
    const open = () => {
      this.#way = new PassThrough();
      this.#way.on('error', () => {});
      return this.#way;
    };
    const answer = await this.#device.client.open(path, {
      method: 'PUT',
      contentType: 'application/octet-stream',
      stream: { size: 0, open },
      // Some answer only when it is over.
      timeoutMs: MAX_TALK_MS * 2,
      signal: this.#abort.signal,
    });
    if (!answer.ok) {
      const busy = BUSY.test(answer.subStatus ?? '');
      return this.#end(busy ? failure('speaker-busy', 'Its loudspeaker is in use.') : answer);
    }
    this.#answered = true;
    const over = () => this.#end(failure('device-unreachable', 'It closed the connection.'));
    const { socket } = answer.value;
    answer.value.resume();
    if (socket.destroyed) over();
    else socket.once('close', over);
  }
}
