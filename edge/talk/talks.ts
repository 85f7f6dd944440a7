import { Hono } from 'hono';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { MAX_TALK_MS, type TalkChance, type TalkLine, TalkQuery } from '../../protocol/wire/talk.ts';
import type { DeviceManager } from '../devices/manager.ts';
import type { ChannelConfig } from '../devices/types.ts';
import { failure, type IsapiFailure, type Result } from '../isapi/answer.ts';
import { IsapiDriver } from '../isapi/driver.ts';
import { OnvifDriver } from '../onvif/driver.ts';
import { invalidRequest, problemResponse } from '../problem-response.ts';
import { describeBackchannel, openBackchannel } from './backchannel.ts';
import { openIsapiSpeaker, readTalkChannels, talkChannelOf } from './isapi-speaker.ts';
import { PacedSound } from './jitter.ts';
import type { Speaker } from './speaker.ts';

const MAX_TALKS = 8;
/** A device that has not opened its loudspeaker by then does not answer. */
const OPEN_MS = 9_000;
/** How often the relay hears how far it has got. */
const HEARD_EVERY_MS = 100;
/** Without a byte for so long there is nobody behind it any more; the relay ends it before. */
const IDLE_MS = 15_000;
/** A device that takes nothing for so long does not hear anything. */
const DEAF_MS = 3_000;
/** What a device said about itself holds for so long; that it did not answer, for a minute. */
const SURE_MS = 10 * 60_000;
const UNSURE_MS = 60_000;
/** After a refused login: each try counts towards the device's lock-out. */
const REFUSED_MS = 10 * 60_000;
const MAX_KNOWN = 2_000;
/** Live view does not wait longer for it. */
const ASKED_WITHIN_MS = 400;

const NO = { can: 'no', codec: null, recorder: false } as const;
const UNKNOWN = { can: 'unknown', codec: null, recorder: false } as const;

interface Known {
  asked: Promise<TalkChance>;
  untilMs: number;
}

/** Somebody speaks to devices of this box (protocol/wire/talk.ts), under `/v1/talk`. */
export class Talks {
  readonly #devices: Pick<DeviceManager, 'operate' | 'channels'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #ffmpeg: string | undefined;
  readonly #openMs: number;
  readonly #known = new Map<string, Known>();
  readonly #refusedUntil = new Map<string, number>();
  /** By channel: one voice at a time. */
  readonly #open = new Map<string, { talk: Talk | null; loudspeaker: string }>();

  constructor(o: {
    devices: Pick<DeviceManager, 'operate' | 'channels'>;
    clock: Clock;
    log: Logger;
    ffmpeg?: string;
    openMs?: number;
  }) {
    this.#devices = o.devices;
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'talk' });
    this.#ffmpeg = o.ffmpeg;
    this.#openMs = o.openMs ?? OPEN_MS;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Resolves when every loudspeaker is closed on its device, or two seconds later. */
  async stop(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ talk }) => talk?.end('talk-ended', 'The box stops.')));
  }

  /** Whether a channel can be spoken to: the device is asked once, and not waited for. */
  async chance(deviceId: string, channel: number): Promise<TalkChance> {
    const key = `${deviceId}/${channel}`;
    const now = this.#clock.mono();
    let known = this.#known.get(key);
    if (!known || known.untilMs <= now) {
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      const asked = this.#ask(deviceId, channel).catch((error) => {
        this.#log.error({ err: error, deviceId, channel }, 'a device could not be asked whether it can be spoken to');
        return UNKNOWN;
      });
      known = { asked, untilMs: now + SURE_MS };
      this.#known.set(key, known);
      const entry = known;
      void known.asked.then(({ can }) => {
        if (can === 'unknown') entry.untilMs = this.#clock.mono() + UNSURE_MS;
      });
    }
    return Promise.race([known.asked, this.#clock.sleep(ASKED_WITHIN_MS).then(() => UNKNOWN)]);
  }

  routes(): Hono {
    const app = new Hono();
    app.post('/', (c) => {
      const query = TalkQuery.safeParse(c.req.query());
      if (!query.success) return invalidRequest(query.error);
      const { body, signal } = c.req.raw;
      if (!body) return problemResponse('invalid-request', 'There is no sound.');
      return this.#talk(query.data, body, signal);
    });
    return app;
  }

  async #talk(
    { deviceId, channel }: TalkQuery,
    body: ReadableStream<Uint8Array>,
    signal: AbortSignal,
  ): Promise<Response> {
    const config = this.#configOf(deviceId, channel);
    if (!config) return problemResponse('not-found', 'The box has no video of this channel.');
    const key = `${deviceId}/${channel}`;
    // Of one that ends the device is being told.
    await this.#open.get(key)?.talk?.ending;
    if (this.#open.has(key)) return problemResponse('spoken-to', `${config.name}: somebody speaks there already.`);
    if (this.#open.size >= MAX_TALKS)
      return problemResponse('limit-reached', 'So many speak at this box as can at once.');
    const place: { talk: Talk | null; loudspeaker: string } = { talk: null, loudspeaker: key };
    this.#open.set(key, place);
    const soon = AbortSignal.any([signal, AbortSignal.timeout(this.#openMs)]);
    const opened = await this.#speaker(config, place, soon).catch((error) => {
      // Nobody else would be let in there until the box starts again.
      this.#open.delete(key);
      throw error;
    });
    if (!opened.ok) {
      this.#open.delete(key);
      this.#log.info({ deviceId, channel, code: opened.code, subStatus: opened.subStatus }, 'nobody can speak there');
      return problemResponse(opened.code, `${config.name}: ${opened.text}`);
    }
    const speaker = opened.value;
    if (signal.aborted) {
      await speaker.close();
      this.#open.delete(key);
      return problemResponse('conflict', 'Nobody speaks any more.');
    }
    const talk = new Talk({
      speaker,
      body,
      clock: this.#clock,
      ended: (heardMs, code) => {
        this.#open.delete(key);
        this.#log.info({ deviceId, channel, heardMs, code }, 'somebody has spoken there');
      },
    });
    place.talk = talk;
    signal.addEventListener('abort', () => void talk.end('talk-ended', 'The relay let go of it.'), { once: true });
    return new Response(talk.lines(), { headers: { 'content-type': 'application/x-ndjson' } });
  }

  #configOf(deviceId: string, channel: number): ChannelConfig | undefined {
    return this.#devices.channels().find((c) => c.deviceId === deviceId && c.channel === channel);
  }

  async #speaker(config: ChannelConfig, place: { loudspeaker: string }, signal: AbortSignal): Promise<Result<Speaker>> {
    const { deviceId, channel } = config;
    const refused = this.#refused(config);
    if (refused) return refused;
    const clock = this.#clock;
    const done = await this.#with<Speaker>(deviceId, async (driver) => {
      if (driver instanceof OnvifDriver) return openBackchannel(targetOf(config), { clock, signal });
      const device = driver instanceof IsapiDriver ? driver.device() : null;
      if (!device) return failure('no-speaker', 'It has no loudspeaker.');
      const channels = await readTalkChannels(device, signal);
      if (!channels.ok) return channels;
      const found = talkChannelOf(channels.value, channel, device.info.recorder);
      if (!found) return failure('no-speaker', 'It has no loudspeaker.');
      // A recorder may have one loudspeaker for all its channels: who speaks there is not pushed out by who comes later.
      const loudspeaker = `${deviceId} ${found.talk.id}`;
      if ([...this.#open.values()].some((other) => other.loudspeaker === loudspeaker))
        return failure('spoken-to', 'Somebody speaks through its loudspeaker already.');
      place.loudspeaker = loudspeaker;
      return openIsapiSpeaker(device, found.talk, { clock, signal, ffmpeg: this.#ffmpeg });
    });
    if (!done.ok && signal.aborted) return failure('device-unreachable', 'It does not answer.');
    return this.#noted(deviceId, done);
  }

  async #ask(deviceId: string, channel: number): Promise<TalkChance> {
    const config = this.#configOf(deviceId, channel);
    if (!config || this.#refused(config)) return UNKNOWN;
    const signal = AbortSignal.timeout(OPEN_MS);
    const told = await this.#with<TalkChance>(deviceId, async (driver) => {
      if (driver instanceof OnvifDriver) {
        const described = await describeBackchannel(targetOf(config), this.#clock, signal);
        if (!described.ok) return described;
        const { value } = described;
        if (!value) return { ok: true, value: NO };
        return 'codec' in value
          ? { ok: true, value: { can: 'codec', codec: value.codec, recorder: false } }
          : { ok: true, value: { can: 'yes', codec: value.track.codec, recorder: false } };
      }
      const device = driver instanceof IsapiDriver ? driver.device() : null;
      if (!device) return { ok: true, value: NO };
      const channels = await readTalkChannels(device, signal);
      if (!channels.ok) return channels;
      const found = talkChannelOf(channels.value, channel, device.info.recorder);
      if (!found) return { ok: true, value: NO };
      const { talk, recorder } = found;
      return { ok: true, value: { can: talk.format ? 'yes' : 'codec', codec: talk.codec || null, recorder } };
    });
    const noted = this.#noted(deviceId, told);
    return noted.ok ? noted.value : UNKNOWN;
  }

  #refused({ deviceId, guard }: ChannelConfig): IsapiFailure | null {
    return guard.refused || (this.#refusedUntil.get(deviceId) ?? 0) > this.#clock.mono()
      ? failure('device-refused-login', 'It refused the login: enter it again.')
      : null;
  }

  #noted<T>(deviceId: string, result: Result<T>): Result<T> {
    if (!result.ok && result.code === 'device-refused-login')
      this.#refusedUntil.set(deviceId, this.#clock.mono() + REFUSED_MS);
    return result;
  }

  /** As the manager does it, with the device's own words instead of a sentence with its name. */
  async #with<T>(deviceId: string, fn: Parameters<DeviceManager['operate']>[1]): Promise<Result<T>> {
    let said = null as Result<unknown> | null;
    const done = await this.#devices.operate(deviceId, async (driver) => {
      said = await fn(driver);
      return said;
    });
    if (said) return said as Result<T>;
    return failure(
      done.ok || done.code !== 'not-found' ? 'device-unreachable' : 'not-found',
      'It is not connected now.',
    );
  }
}

const targetOf = ({ rtspUrl, username, password, tls }: ChannelConfig) => ({ url: rtspUrl, username, password, tls });

/** One voice on its way to one loudspeaker. */
class Talk {
  readonly #speaker: Speaker;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #clock: Clock;
  readonly #sound: PacedSound;
  readonly #ended: (heardMs: number, code: string) => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #stops: (() => void)[] = [];
  #taken = 0;
  #heardBytes = 0;
  #byteMs: number;
  #heardAtMs: number;
  /** Of one that ends: until its loudspeaker is closed. */
  ending: Promise<void> | null = null;

  constructor(o: {
    speaker: Speaker;
    body: ReadableStream<Uint8Array>;
    clock: Clock;
    ended: (heardMs: number, code: string) => void;
  }) {
    this.#speaker = o.speaker;
    this.#reader = o.body.getReader();
    this.#clock = o.clock;
    this.#ended = o.ended;
    this.#byteMs = this.#heardAtMs = o.clock.mono();
    this.#sound = new PacedSound({ clock: o.clock, out: (mu, spoken) => this.#say(mu, spoken) });
  }

  /** The answer: begins the talk, and ends it when nobody reads it any more. */
  lines(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
        this.#line({ type: 'ready', codec: this.#speaker.codec });
        this.#sound.start();
        this.#stops = [
          this.#clock.every(HEARD_EVERY_MS, () => this.#tell()),
          this.#clock.after(MAX_TALK_MS + IDLE_MS, () => void this.end('talk-ended', 'Ten minutes are the most.')),
        ];
        void this.#speaker.ended.then(({ code, text }) => this.end(code, text));
        void this.#read();
      },
      cancel: () => this.end('talk-ended', 'The relay let go of it.'),
    });
  }

  end(code: string, text: string): Promise<void> {
    this.ending ??= this.#end(code, text);
    return this.ending;
  }

  async #end(code: string, text: string): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    this.#sound.stop();
    this.#line({ type: 'ended', code, text: text.slice(0, 400) });
    try {
      this.#controller?.close();
    } catch {
      // The relay let go of it already.
    }
    this.#controller = null;
    await this.#reader.cancel().catch(() => {});
    await this.#speaker.close();
    this.#ended(this.#heardMs, code);
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done || this.ending) break;
        this.#byteMs = this.#clock.mono();
        this.#taken += value.length;
        this.#sound.push(Buffer.from(value));
      }
      // The last word is still said.
      if (!this.ending) await this.#sound.finish();
      await this.end('talk-ended', 'Nobody speaks any more.');
    } catch {
      await this.end('talk-ended', 'The relay let go of it.');
    }
  }

  get #heardMs(): number {
    return Math.floor(this.#heardBytes / 8);
  }

  #say(mu: Buffer, spoken: boolean): void {
    const taken = this.#speaker.write(mu);
    const now = this.#clock.mono();
    if (taken) this.#heardAtMs = now;
    if (taken && spoken && this.#speaker.taking) this.#heardBytes += mu.length;
    if (!taken && now - this.#heardAtMs > DEAF_MS) void this.end('device-unreachable', 'It takes no sound any more.');
  }

  #tell(): void {
    if (this.#clock.mono() - this.#byteMs > IDLE_MS) return void this.end('talk-ended', 'Nobody speaks any more.');
    this.#line({ type: 'heard', taken: this.#taken, heardMs: this.#heardMs });
  }

  #line(line: TalkLine): void {
    try {
      this.#controller?.enqueue(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
    } catch {
      // The relay let go of it already.
    }
  }
}
