import type { Clock } from '../../protocol/clock.ts';
import { CLOUD_STEPS, type CloudItem, type CloudStep } from '../../protocol/wire/cloud.ts';
import type { StepState } from '../../protocol/wire/jobs.ts';
import type { Section, SettingField } from '../../protocol/wire/operations.ts';
import type { StreamName } from '../../protocol/wire/video.ts';
import type { DeviceManager } from '../devices/manager.ts';
import type { Driver } from '../drivers/driver.ts';
import type { Result } from '../isapi/answer.ts';
import type { ItemProgress } from '../jobs/types.ts';
import { coding, type Fields, watching } from './settings.ts';
import type { Settle } from './settle.ts';
import { look, MOST_KEY_FRAME_MS, type Pull, ROUNDING_MS, type Seen, streamsOf } from './wire.ts';

interface End {
  state: Extract<StepState, 'done' | 'skipped' | 'warning' | 'failed'>;
  code?: string | null;
  text?: string | null;
}
type Done<T> = { ok: true; value: T } | { ok: false; code: string; detail: string };

/** A device that was added a moment ago is not logged in to yet. */
const LINK_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 1_000;
/** Not known here, or not answering: it may come; a refusal does not go away. */
const MAY_COME = new Set(['not-found', 'device-unreachable', 'device-offline']);
/** An encoder that got new settings begins anew, and what comes before that is still the old. */
const SETTLE_MS = 3_000;
const TRIES = 3;
const ACTIVATE_WITHIN_MS = 30 * 60_000;
const TELL_WITHIN_MS = 60_000;

/** What the work on any channel needs. */
export interface CloudTools {
  devices: Pick<DeviceManager, 'operate'>;
  video: { source(deviceId: string, channel: number, stream: StreamName): Pull | null };
  settle: Settle;
  clock: Clock;
}
type Options = CloudTools & { item: CloudItem; progress: ItemProgress; signal: AbortSignal };

/** The steps of one channel, once: what is done already is left out after a restart, and all may be done again. */
export class ChannelRun {
  readonly #o: Options;

  constructor(o: Options) {
    this.#o = o;
  }

  async run(): Promise<'done' | 'failed'> {
    const { item, progress, signal } = this.#o;
    let failed: string | null = null;
    for (const step of CLOUD_STEPS[item.variant]) {
      if (signal.aborted) return 'failed';
      const before = progress.steps().find((one) => one.step === step);
      if (before && before.state !== 'waiting' && before.state !== 'running') {
        if (before.state === 'failed') failed ??= before.code ?? 'failed';
        continue;
      }
      if (failed !== null) {
        progress.step(step, 'skipped', { code: 'earlier-failed' });
        continue;
      }
      progress.step(step, 'running');
      const { state, code = null, text = null } = await this.#do(step);
      if (signal.aborted) return 'failed';
      progress.step(step, state, { code, text });
      if (state === 'failed') failed = code ?? 'failed';
    }
    if (failed === null) return 'done';
    // The package that was taken aside is free again; a relay that is away finds out by itself in the end.
    await this.#o.settle(this.#said(failed.slice(0, 40)), TELL_WITHIN_MS, signal);
    return 'failed';
  }

  #said(code: string | null) {
    const { jobId, deviceId, channel } = this.#o.item;
    return { jobId, deviceId, channel, ok: code === null, code };
  }

  #do(step: CloudStep): Promise<End> {
    switch (step) {
      case 'link':
        return this.#link();
      case 'svc':
      case 'encoding':
        return this.#code();
      case 'capability':
        return this.#pull();
      case 'events':
        return this.#watch();
      case 'activate':
        return this.#activate();
    }
  }

  #operate<T>(fn: (driver: Driver) => Promise<Result<T>>): Promise<Done<T>> {
    return this.#o.devices.operate(this.#o.item.deviceId, fn);
  }

  /** The device is logged in to and has that channel. */
  async #link(): Promise<End> {
    const { item, clock, signal } = this.#o;
    const end = clock.mono() + LINK_WITHIN_MS;
    for (;;) {
      const channels = await this.#operate((driver) => driver.channels(signal));
      if (channels.ok) {
        if (channels.value.some((one) => one.channel === item.channel)) return { state: 'done' };
        return { state: 'failed', code: 'not-found', text: `It has no channel ${item.channel}.` };
      }
      const { code, detail } = channels;
      if (!MAY_COME.has(code) || clock.mono() + LOOK_EVERY_MS > end || signal.aborted)
        return { state: 'failed', code, text: detail };
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  /** Smart codecs off, SVC on, short groups, the definition; each of them where the device has it. */
  async #code(): Promise<End> {
    const { item, signal } = this.#o;
    if (item.variant === 'device') {
      const linked = await this.#link();
      if (linked.state === 'failed') return linked;
    }
    const said: string[] = [];
    const missed: string[] = [];
    let lacking = 0;
    let reboot = false;
    const streams = streamsOf(item.stream);
    for (const name of streams) {
      const at = { channel: item.channel, stream: name === 'main' ? 1 : 2 };
      const read = await this.#read('video', at);
      if (!read.ok) {
        if (read.code !== 'not-found') return { state: 'failed', code: read.code, text: read.detail };
        lacking++;
        continue;
      }
      // The main stream of an adaptive channel is what people look at in the end.
      const definition = name === 'main' || item.stream === 'sub' ? item.definition : null;
      const { steps, lacks } = coding(read.value, definition);
      missed.push(...lacks);
      for (const set of steps) {
        const written = await this.#operate((driver) => driver.writeSettings('video', at, set, signal));
        if (!written.ok) return { state: 'failed', code: written.code, text: written.detail };
        const { notKept, rebootRequired } = written.value;
        reboot ||= rebootRequired;
        for (const [field, value] of Object.entries(set)) {
          const not = notKept.find((one) => one.name === field);
          const is = not?.is;
          // A shorter group than asked for is as good.
          const fits = !not || (typeof is === 'number' && typeof value === 'number' && is > 0 && is < value);
          (fits ? said : missed).push(`${field}: ${fits ? value : `${is} (wanted: ${value})`}`);
        }
      }
    }
    if (lacking === streams.length)
      return { state: 'skipped', code: 'not-supported', text: 'It does not let its coding be set.' };
    if (reboot)
      return {
        state: 'warning',
        code: 'reboot-needed',
        text: 'It takes the settings over at its next restart: restart it when that suits.',
      };
    const text = [...new Set([...missed, ...said])].join(', ') || null;
    return missed.length > 0 ? { state: 'warning', code: 'not-kept', text } : { state: 'done', text };
  }

  /** Cloud storage is the box's own here: that it can record the channel is shown by what really comes from it. */
  async #pull(): Promise<End> {
    const { item, video, clock, signal } = this.#o;
    const said: string[] = [];
    let warning: End | null = null;
    for (const name of streamsOf(item.stream)) {
      let seen: Seen | null = null;
      // What is still on its way was coded before the settings came into force.
      for (let tries = 0; tries < TRIES && !signal.aborted; tries++) {
        const pull = video.source(item.deviceId, item.channel, name);
        if (!pull && name === 'sub')
          return { state: 'failed', code: 'no-sub-stream', text: 'It has no sub-stream: record its main stream.' };
        seen = pull && (await look(pull, clock, signal));
        if (seen && this.#fits(name, seen)) break;
        if (tries + 1 < TRIES) await clock.sleep(SETTLE_MS, signal);
      }
      if (!seen)
        return {
          state: 'failed',
          code: 'no-video',
          text: 'No picture of it comes to the box: look at its stream’s codec, and whether it takes another viewer.',
        };
      const groups = seen.keyFrameMs === null ? '> 8' : (seen.keyFrameMs / 1000).toFixed(1);
      const codec = /^h(vc|ev)1/.test(seen.codec) ? 'H.265' : 'H.264';
      const stream = name === 'main' ? 'Main stream' : 'Sub-stream';
      said.push(`${stream}: ${codec}, ${seen.width} × ${seen.height}, a key frame every ${groups} s`);
      if (this.#fits(name, seen)) continue;
      const far = !short(seen);
      warning ??= { state: 'warning', code: far ? 'long-groups' : 'other-definition' };
    }
    const text = said.join('; ');
    return warning ? { ...warning, text } : { state: 'done', text };
  }

  #fits(name: StreamName, seen: Seen): boolean {
    const { definition, stream } = this.#o.item;
    const wanted = name === 'main' || stream === 'sub' ? definition : null;
    return short(seen) && (wanted === null || wanted === `${seen.width}x${seen.height}`);
  }

  /** Motion is looked for, and the device tells of it: without that nothing is ever recorded (CLOUD-09). */
  async #watch(): Promise<End> {
    const { item, signal } = this.#o;
    const at = { channel: item.channel };
    const read = await this.#read('motion', at);
    const unknown: End = {
      state: 'warning',
      code: 'notify-unknown',
      text: 'It does not say whether it tells of motion: move something before it, and look for the clip.',
    };
    if (!read.ok) return read.code === 'not-found' ? unknown : { state: 'failed', code: read.code, text: read.detail };
    const missed: string[] = [];
    for (const set of watching(read.value)) {
      const written = await this.#operate((driver) => driver.writeSettings('motion', at, set, signal));
      if (!written.ok) return { state: 'failed', code: written.code, text: written.detail };
      missed.push(...written.value.notKept.map((one) => one.name));
    }
    const silent = missed.includes('notify') || missed.includes('enabled');
    if (silent && item.mode !== 'continuous')
      return {
        state: 'failed',
        code: 'not-kept',
        text: `It did not keep: ${missed.join(', ')}. Nothing would be recorded.`,
      };
    if (!('notify' in read.value)) return unknown;
    return missed.length > 0 ? { state: 'warning', code: 'not-kept', text: missed.join(', ') } : { state: 'done' };
  }

  async #activate(): Promise<End> {
    const said = await this.#o.settle(this.#said(null), ACTIVATE_WITHIN_MS, this.#o.signal);
    return said.ok
      ? { state: 'done', text: said.until }
      : { state: 'failed', code: said.code.slice(0, 40), text: said.text };
  }

  async #read(section: Section, at: { channel: number; stream?: number }): Promise<Done<Fields>> {
    const read = await this.#operate((driver) => driver.readSettings(section, at, this.#o.signal));
    return read.ok ? { ok: true, value: byName(read.value) } : read;
  }
}

const short = (seen: Seen): boolean => seen.keyFrameMs !== null && seen.keyFrameMs <= MOST_KEY_FRAME_MS + ROUNDING_MS;
const byName = (fields: readonly SettingField[]): Fields => Object.fromEntries(fields.map((f) => [f.name, f]));
