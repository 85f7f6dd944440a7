import type { FieldValue, SettingField, Target } from '../../../protocol/wire/operations.ts';
import type { Feature } from '../../drivers/feature.ts';
import { failure, type Result } from '../../isapi/answer.ts';
import { choice, num } from '../../isapi/features/fields.ts';
import type { Profile } from '../media.ts';
import type { OnvifDevice } from '../onvif-device.ts';
import { booleanOf } from '../soap.ts';
import { all, attribute, copy, type Element, first, NS, numberAt, serialize, textAt, xmlText } from '../tree.ts';

/*
 * Video encoder configurations. media1 has GovLength and the profile in an element named after the codec; media2 has them as
 * attributes, and options by codec.
 */
interface Encoder {
  profile: Profile;
  configuration: Element;
  options: Options;
}
interface Options {
  encodings: string[];
  /** By encoding; null: it does not say. */
  of: (encoding: string) => CodecOptions | null;
  quality: [number | null, number | null];
}
interface CodecOptions {
  resolutions: string[];
  rates: string[];
  gov: [number | null, number | null];
  bitrate: [number | null, number | null];
}

const MAX_OPTIONS = 64;
const size = (r: Element): string => `${textAt(r, 'Width')}x${textAt(r, 'Height')}`;
const range = (e: Element | undefined): [number | null, number | null] => [numberAt(e, 'Min'), numberAt(e, 'Max')];
const uniqueOf = (values: string[]): string[] => [...new Set(values.filter(Boolean))].slice(0, MAX_OPTIONS);
const NONE: [null, null] = [null, null];

const profileOf = (device: OnvifDevice, at: Target): Profile | undefined =>
  device.source(at.channel ?? 1)?.streams[(at.stream ?? 1) - 1];

async function readEncoder(device: OnvifDevice, at: Target, signal?: AbortSignal): Promise<Result<Encoder>> {
  const profile = profileOf(device, at);
  if (!profile) return failure('not-found', 'It has no such stream.');
  const token = xmlText(profile.encoder);
  const { service } = device.media;
  const answer = await device.call(
    service,
    service === 'media2'
      ? `<tr2:GetVideoEncoderConfigurations><tr2:ConfigurationToken>${token}</tr2:ConfigurationToken></tr2:GetVideoEncoderConfigurations>`
      : `<trt:GetVideoEncoderConfiguration><trt:ConfigurationToken>${token}</trt:ConfigurationToken></trt:GetVideoEncoderConfiguration>`,
    { signal },
  );
  if (!answer.ok) return answer;
  const found = [...all(answer.value, 'Configurations'), ...all(answer.value, 'Configuration')];
  const configuration = found.find((c) => attribute(c, 'token') === profile.encoder) ?? found[0];
  if (!configuration) return failure('device-error', 'It does not tell how it codes this stream.');
  const [prefix, of] = service === 'media2' ? ['tr2', 'tr2'] : ['trt', 'trt'];
  const asked = await device.call(
    service,
    `<${prefix}:GetVideoEncoderConfigurationOptions><${of}:ConfigurationToken>${token}</${of}:ConfigurationToken><${of}:ProfileToken>${xmlText(profile.token)}</${of}:ProfileToken></${prefix}:GetVideoEncoderConfigurationOptions>`,
    { signal },
  );
  const options = asked.ok ? asked.value : undefined;
  return {
    ok: true,
    value: { profile, configuration, options: service === 'media2' ? options2(options) : options1(options) },
  };
}

/** media2: Options once for each encoding. */
export function options2(response: Element | undefined): Options {
  const found = all(response, 'Options');
  const numbers = (written: string) => written.split(/\s+/).filter((n) => n !== '' && Number.isFinite(Number(n)));
  return {
    encodings: uniqueOf(found.map((o) => textAt(o, 'Encoding'))),
    quality: range(first(found[0], 'QualityRange')),
    of(encoding) {
      const o = found.find((x) => textAt(x, 'Encoding') === encoding);
      if (!o) return null;
      const gov = numbers(attribute(o, 'GovLengthRange')).map(Number);
      return {
        resolutions: uniqueOf(all(o, 'ResolutionsAvailable').map(size)),
        rates: uniqueOf(numbers(attribute(o, 'FrameRatesSupported')).map((n) => String(Number(n)))),
        gov: gov.length === 2 ? [gov[0]!, gov[1]!] : NONE,
        bitrate: range(first(o, 'BitrateRange')),
      };
    },
  };
}

const MAX_RATE = 120;
/** media1: an element for each encoding, and in Extension the same again with bit rates. */
export function options1(response: Element | undefined): Options {
  const options = first(response, 'Options');
  const extension = first(options, 'Extension');
  const named = (name: string) => first(options, name);
  return {
    encodings: uniqueOf(['JPEG', 'MPEG4', 'H264'].filter((name) => named(name) !== undefined)),
    quality: range(first(options, 'QualityRange')),
    of(encoding) {
      const o = named(encoding);
      if (!o) return null;
      const [low, high] = range(first(o, 'FrameRateRange'));
      const rates = low !== null && high !== null && high <= MAX_RATE ? steps(Math.max(1, low), high) : [];
      return {
        resolutions: uniqueOf(all(o, 'ResolutionsAvailable').map(size)),
        rates: rates.map(String),
        gov: range(first(o, 'GovLengthRange')),
        bitrate: range(first(extension, encoding, 'BitrateRange')),
      };
    },
  };
}

const steps = (low: number, high: number): number[] =>
  Array.from({ length: Math.floor(high - low) + 1 }, (_, i) => low + i);

/** GovLength, wherever it stands: an attribute (media2) or in the codec's own element (media1). */
const govOf = (c: Element, encoding: string): number | null => {
  const written = attribute(c, 'GovLength');
  if (written !== '') return Number.isFinite(Number(written)) ? Number(written) : null;
  return numberAt(c, encoding, 'GovLength');
};

/** An encoder configuration as fields, with the names that other devices' have. */
export function encoderFields(configuration: Element, options: Options): SettingField[] {
  const c = configuration;
  const encoding = textAt(c, 'Encoding').slice(0, 64);
  const of = options.of(encoding);
  const fields = [choice('codec', encoding, options.encodings)];
  const resolution = first(c, 'Resolution');
  if (resolution) fields.push(choice('resolution', size(resolution).slice(0, 64), of?.resolutions ?? []));
  const rate = numberAt(c, 'RateControl', 'FrameRateLimit');
  if (rate !== null) fields.push(choice('frameRate', String(rate), of?.rates ?? []));
  const bitrate = numberAt(c, 'RateControl', 'BitrateLimit');
  if (bitrate !== null) fields.push(num('bitrate', bitrate, of?.bitrate ?? NONE, 'kbit/s'));
  const constant = booleanOf(attribute(first(c, 'RateControl'), 'ConstantBitRate'));
  if (constant !== null) fields.push(choice('bitrateType', constant ? 'CBR' : 'VBR', ['CBR', 'VBR']));
  const gov = govOf(c, encoding);
  if (gov !== null) fields.push(num('govLength', gov, of?.gov ?? NONE, 'frames'));
  const quality = numberAt(c, 'Quality');
  if (quality !== null) fields.push(num('quality', quality, options.quality));
  return fields;
}

const put = (element: Element | undefined, value: string): void => {
  if (element) element.text = value;
};
const putAttribute = (element: Element | undefined, name: string, value: string): boolean => {
  const found = element?.attributes.find((a) => a.name === name);
  if (found) found.value = value;
  return found !== undefined;
};

/** The whole configuration with what is to change. */
export function changedEncoder(configuration: Element, set: Record<string, FieldValue>): Element {
  const c = copy(configuration);
  const former = textAt(c, 'Encoding');
  const encoding = typeof set.codec === 'string' ? set.codec : former;
  put(first(c, 'Encoding'), encoding);
  if (typeof set.resolution === 'string') {
    const [width = '', height = ''] = set.resolution.split('x');
    put(first(c, 'Resolution', 'Width'), width);
    put(first(c, 'Resolution', 'Height'), height);
  }
  if (set.frameRate !== undefined) put(first(c, 'RateControl', 'FrameRateLimit'), String(set.frameRate));
  if (set.bitrate !== undefined) put(first(c, 'RateControl', 'BitrateLimit'), String(set.bitrate));
  if (set.bitrateType !== undefined) {
    putAttribute(first(c, 'RateControl'), 'ConstantBitRate', String(set.bitrateType === 'CBR'));
  }
  if (set.quality !== undefined) put(first(c, 'Quality'), String(set.quality));
  // media1 keeps the group length in the element of the codec, which another codec does not have.
  const own = first(c, former);
  if (own && encoding !== former) c.children = c.children.filter((child) => child !== own);
  if (set.govLength !== undefined && !putAttribute(c, 'GovLength', String(set.govLength))) {
    put(first(c, encoding, 'GovLength'), String(set.govLength));
  }
  return c;
}

async function write(device: OnvifDevice, at: Target, set: Record<string, FieldValue>, signal?: AbortSignal) {
  const read = await readEncoder(device, at, signal);
  if (!read.ok) return read;
  const wanted = changedEncoder(read.value.configuration, set);
  const two = device.media.service === 'media2';
  wanted.name = 'Configuration';
  wanted.ns = two ? NS.tr2 : NS.trt;
  const body = two
    ? `<tr2:SetVideoEncoderConfiguration>${serialize(wanted)}</tr2:SetVideoEncoderConfiguration>`
    : `<trt:SetVideoEncoderConfiguration>${serialize(wanted)}<trt:ForcePersistence>true</trt:ForcePersistence></trt:SetVideoEncoderConfiguration>`;
  const answer = await device.call(device.media.service, body, { signal, timeoutMs: 15_000 });
  return answer.ok ? ({ ok: true, value: { rebootRequired: false } } as const) : answer;
}

/** How each stream is coded (CHAN-08, over ONVIF). */
export const video: Feature<OnvifDevice> = {
  async offer(device) {
    const groups = Map.groupBy(device.media.sources, (s) => s.streams.length);
    return {
      sections: [...groups].map(([streams, sources]) => ({
        section: 'video' as const,
        channels: sources.map((s) => s.channel),
        streams: Array.from({ length: streams }, (_, i) => i + 1),
      })),
    };
  },
  sections: {
    video: {
      async read(device, at, signal) {
        const read = await readEncoder(device, at, signal);
        return read.ok ? { ok: true, value: encoderFields(read.value.configuration, read.value.options) } : read;
      },
      write: (device, at, set, _fields, signal) => write(device, at, set, signal),
    },
  },
};
