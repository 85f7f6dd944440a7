import type { FieldValue } from '../../../protocol/wire/operations.ts';
import type { Result } from '../answer.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { text } from '../xml.ts';
import { rateOf, readStream, type StreamDocument, videoFields, writeVideo } from './video.ts';

/** What an initialisation did to a channel; sentences for a person. */
export interface Outcome {
  done: string[];
  /** What was asked for and is not so now. */
  failed: string[];
  rebootRequired: boolean;
}

const isOn = ({ doc }: StreamDocument): boolean => /^true$/i.test(text(doc.node, 'Video', 'SmartCodec', 'enabled'));
const isH264 = (codec: string): boolean => /^h\.?264$/i.test(codec);
const codecOf = ({ doc }: StreamDocument): string => text(doc.node, 'Video', 'videoCodecType');

/**
 * INIT-17, for the main stream of one channel.
 *
 * `h265plus-where-h264plus`: where Smart H.264+ is on and the device does H.265+, it is switched to that; anything else
 * stays as it is. `off-for-recording`: smart codecs off, H.264, and a key frame at least every 2 s, because a recording can
 * only be cut at key frames and every browser plays H.264 (rtsp-media.md §6).
 */
export async function switchSmartCodec(
  device: IsapiDevice,
  channel: number,
  to: 'h265plus-where-h264plus' | 'off-for-recording',
  signal?: AbortSignal,
): Promise<Result<Outcome>> {
  const at = { channel, stream: 1 };
  const before = await readStream(device, at, signal);
  if (!before.ok) return before;
  const set = to === 'off-for-recording' ? forRecording(before.value) : forH265Plus(before.value);
  const outcome: Outcome = { done: [], failed: [], rebootRequired: false };
  const codec = codecOf(before.value);
  if (to === 'off-for-recording' && set.codec === undefined && !isH264(codec)) {
    outcome.failed.push(`codec: ${codec} (it offers no H.264)`);
  }
  if (Object.keys(set).length === 0) return { ok: true, value: outcome };
  const written = await write(device, before.value, set, signal);
  if (!written.ok) outcome.failed.push(written.text);
  else outcome.rebootRequired = written.value.rebootRequired;
  const after = await readStream(device, at, signal);
  if (!after.ok) return after;
  const fields = videoFields(after.value.doc.node, after.value.caps);
  for (const [name, wanted] of Object.entries(set)) {
    const field = fields.find((f) => f.name === name);
    const is = field && field.kind !== 'secret' ? field.value : null;
    // A shorter group than asked for is as good.
    const fits = is === wanted || (typeof is === 'number' && typeof wanted === 'number' && is > 0 && is <= wanted);
    (fits ? outcome.done : outcome.failed).push(`${name}: ${is}${fits ? '' : ` (wanted: ${wanted})`}`);
  }
  return { ok: true, value: outcome };
}

/** From Smart H.264+ to H.265+ it goes by way of neither: with one on, the codec is not free on some devices. */
async function write(
  device: IsapiDevice,
  stream: StreamDocument,
  set: Record<string, FieldValue>,
  signal?: AbortSignal,
) {
  if (set.smartCodec !== true) return writeVideo(device, stream.path, set, signal);
  const off = await writeVideo(device, stream.path, { smartCodec: false }, signal);
  const changed = off.ok ? await writeVideo(device, stream.path, set, signal) : off;
  if (changed.ok) return changed;
  // As it was: a device that refuses the new codec shall not lose the old one.
  await writeVideo(device, stream.path, { codec: codecOf(stream), smartCodec: true });
  return changed;
}

function forH265Plus(stream: StreamDocument): Record<string, FieldValue> {
  const offered = stream.caps.at('Video', 'videoCodecType')?.options ?? [];
  const h265 = offered.find((o) => /^h\.?265$/i.test(o));
  if (!isOn(stream) || !isH264(codecOf(stream)) || !h265) return {};
  return { codec: h265, smartCodec: true };
}

function forRecording(stream: StreamDocument): Record<string, FieldValue> {
  const set: Record<string, FieldValue> = {};
  const fields = videoFields(stream.doc.node, stream.caps);
  if (isOn(stream)) set.smartCodec = false;
  if (!isH264(codecOf(stream))) {
    const offered = stream.caps.at('Video', 'videoCodecType')?.options ?? [];
    const h264 = offered.find(isH264);
    if (h264) set.codec = h264;
  }
  const rate = Number(rateOf(text(stream.doc.node, 'Video', 'maxFrameRate')));
  const gov = fields.find((f) => f.name === 'govLength');
  const interval = fields.find((f) => f.name === 'keyFrameInterval');
  // At full rate, whatever that is, 25 frames a second are the fewest that are usual.
  const most = Math.max(1, Math.floor(2 * (rate > 0 ? rate : 25)));
  if (gov?.kind === 'number' && !(gov.value !== null && gov.value > 0 && gov.value <= most)) set.govLength = most;
  if (interval?.kind === 'number' && !(interval.value !== null && interval.value <= 2000)) set.keyFrameInterval = 2000;
  return set;
}
