import { type AudioCodec, parseAudioConfig } from './audio.ts';
import { parseStreamMux, type StreamMux } from './latm.ts';
import { SPEECH_RATE, type SpeechFormat, type SpeechShape } from './speech.ts';

/*
 * Session descriptions (RFC 4566) as cameras write them: missing or doubled lines, attributes in the wrong section,
 * payload types that do not match. Only what a pull needs is read, nothing is required.
 */
export interface SdpMedia {
  kind: string;
  payloadTypes: number[];
  control: string | null;
  /** Payload type → encoding name (upper case), clock rate and channels. */
  rtpmap: Map<number, { encoding: string; clockRate: number; channels: number }>;
  /** Payload type → parameters, names in lower case. */
  fmtp: Map<number, Map<string, string>>;
  /** `a=sendonly`: in answer to DESCRIBE, what the camera wants to hear (ONVIF streaming §5.3.1). */
  sendOnly: boolean;
}
export interface Sdp {
  control: string | null;
  media: SdpMedia[];
}

/** The video track to set up. */
export interface VideoTrack {
  kind: 'h264' | 'h265';
  payloadType: number;
  clockRate: number;
  control: string | null;
  /** Parameter sets of the description (`sprop-…`), NAL units without start code; may be empty or wrong. */
  parameterSets: Buffer[];
  /** H.265 `sprop-max-don-diff` > 0: every NAL unit carries a decoding order number. */
  donl: boolean;
}

/** The sound beside it. */
export interface SoundTrack {
  /** As it is passed on. */
  codec: AudioCodec;
  payloadType: number;
  control: string | null;
  /** Ticks a second of its RTP timestamps. */
  clockRate: number;
  /** Bits of the fields of an AU header (RFC 3640 §3.2.1); 0 where there is none. */
  sizeLength: number;
  indexLength: number;
  /** AAC in LATM. */
  latm?: { mux: StreamMux; inBand: boolean };
  /** What µ-law is made of. */
  speech?: SpeechShape;
}

const MAX_MEDIA = 32;
/** Ticks a second of pictures: 90,000 by the standards; a camera that says otherwise is believed within reason. */
const VIDEO_RATES = [1_000, 1_000_000] as const;
const SPEECH_RATES = [8_000, 96_000] as const;
const AAC_RATES = [7_350, 96_000] as const;
const MAX_SOUND_CHANNELS = 8;

/** Never throws: what cannot be read is left out. */
export function parseSdp(text: string): Sdp {
  const sdp: Sdp = { control: null, media: [] };
  let media: SdpMedia | null = null;
  for (const raw of text.split(/\r\n|\n|\r/)) {
    const line = raw.trim();
    if (line.startsWith('m=') && sdp.media.length < MAX_MEDIA) {
      const [kind = '', , , ...types] = line.slice(2).split(/\s+/);
      media = {
        kind: kind.toLowerCase(),
        payloadTypes: types.map(Number).filter((n) => Number.isInteger(n) && n >= 0 && n < 128),
        control: null,
        rtpmap: new Map(),
        fmtp: new Map(),
        sendOnly: false,
      };
      sdp.media.push(media);
      continue;
    }
    if (media && line === 'a=sendonly') media.sendOnly = true;
    const attribute = /^a=([A-Za-z-]+):(.*)$/s.exec(line);
    if (!attribute) continue;
    const [, name = '', rest = ''] = attribute;
    const value = rest.trim();
    if (name.toLowerCase() === 'control') {
      if (media) media.control ??= value;
      else sdp.control ??= value;
    } else if (media) {
      readAttribute(media, name.toLowerCase(), value);
    }
  }
  return sdp;
}

function readAttribute(media: SdpMedia, name: string, value: string): void {
  if (name === 'rtpmap') {
    const m = /^(\d+)\s+([^\s/]+)(?:\/(\d+)(?:\/(\d+))?)?/.exec(value);
    if (!m) return;
    const [encoding, clockRate, channels] = [m[2]!.toUpperCase(), Number(m[3] ?? 0), Number(m[4] ?? 1)];
    media.rtpmap.set(Number(m[1]), { encoding, clockRate, channels });
  } else if (name === 'fmtp') {
    const m = /^(\d+)\s+(.*)$/s.exec(value);
    if (!m) return;
    const params = new Map<string, string>();
    for (const part of m[2]!.split(';')) {
      const equals = part.indexOf('=');
      if (equals > 0) params.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
    }
    media.fmtp.set(Number(m[1]), params);
  }
}

/** The first H.264 or H.265 track; null when the camera offers none (`offered` says what it has). */
export function findVideo(sdp: Sdp): VideoTrack | null {
  for (const media of sdp.media) {
    if (media.kind !== 'video') continue;
    const types = new Set([...media.payloadTypes, ...media.rtpmap.keys()]);
    for (const payloadType of types) {
      // A parameter line that stands in another section still belongs to its payload type.
      const fmtp =
        media.fmtp.get(payloadType) ?? sdp.media.map((m) => m.fmtp.get(payloadType)).find((f) => f !== undefined);
      const kind = kindOf(media.rtpmap.get(payloadType)?.encoding, fmtp);
      if (!kind) continue;
      return {
        kind,
        payloadType,
        clockRate: within(VIDEO_RATES, media.rtpmap.get(payloadType)?.clockRate) ?? 90_000,
        control: media.control,
        parameterSets: parameterSets(fmtp),
        donl: Number(fmtp?.get('sprop-max-don-diff') ?? 0) > 0,
      };
    }
  }
  return null;
}

/** The first sound that can be used: AAC (RFC 3640, RFC 6416), Opus, or what µ-law can be made of. null: there is none. */
export function findSound(sdp: Sdp): SoundTrack | null {
  // Who marks everything as `sendonly` speaks of itself.
  const backchannels = sdp.media.some((m) => m.kind === 'video' && !m.sendOnly);
  for (const media of sdp.media) {
    if (media.kind !== 'audio' || (media.sendOnly && backchannels)) continue;
    for (const payloadType of media.payloadTypes) {
      const track = soundOf(media, payloadType);
      if (track) return track;
    }
  }
  return null;
}

const within = ([least, most]: readonly [number, number], rate = 0): number | null =>
  rate >= least && rate <= most ? rate : null;

const G711 = { PCMU: 'pcmu', PCMA: 'pcma' } as const;
/** Payload types that need no description (RFC 3551 §6). */
const STATIC: Record<number, { encoding: string; clockRate: number; channels: number }> = {
  0: { encoding: 'PCMU', clockRate: 8_000, channels: 1 },
  2: { encoding: 'G726-32', clockRate: 8_000, channels: 1 },
  8: { encoding: 'PCMA', clockRate: 8_000, channels: 1 },
  10: { encoding: 'L16', clockRate: 44_100, channels: 2 },
  11: { encoding: 'L16', clockRate: 44_100, channels: 1 },
};

function soundOf(media: SdpMedia, payloadType: number): SoundTrack | null {
  const { control } = media;
  const usual = STATIC[payloadType];
  const map = media.rtpmap.get(payloadType) ?? usual;
  if (!map) return null;
  const track = { payloadType, control, sizeLength: 0, indexLength: 0 };
  const { encoding: name } = map;
  const fmtp = media.fmtp.get(payloadType);
  if (name === 'OPUS') {
    const codec = { kind: 'opus' as const, clockRate: 48_000, channels: 2, config: null, codec: 'opus' };
    return { ...track, codec, clockRate: 48_000 };
  }
  if (name === 'MP4A-LATM') return latmOf(track, map.clockRate, fmtp);
  const format = speechOf(name);
  if (format) {
    // Silence of a billion samples a second is a lot of memory.
    const rate = within(SPEECH_RATES, map.clockRate || usual?.clockRate || SPEECH_RATE);
    const channels = map.channels || 1;
    if (rate === null || channels > MAX_SOUND_CHANNELS || (format.kind === 'g726' && channels > 1)) return null;
    const asItIs = (format.kind === 'pcmu' || format.kind === 'pcma') && rate === SPEECH_RATE && channels === 1;
    const kind = asItIs ? G711[name as keyof typeof G711] : 'pcmu';
    const codec = { kind, clockRate: SPEECH_RATE, channels: 1, config: null, codec: kind.toUpperCase() };
    return { ...track, codec, clockRate: rate, ...(asItIs ? {} : { speech: { format, rate, channels } }) };
  }
  if (name !== 'MPEG4-GENERIC' || !fmtp) return null;
  const codec = aacOf(Buffer.from(fmtp.get('config') ?? '', 'hex'), map.clockRate);
  const sizeLength = Number(fmtp.get('sizelength') ?? 13);
  const indexLength = Number(fmtp.get('indexlength') ?? 3);
  // Low and high bit rate alike; interleaving and other shapes are not spoken by cameras.
  if (!codec || !(sizeLength > 0 && sizeLength <= 16) || !(indexLength >= 0 && indexLength <= 8)) return null;
  return { ...track, ...codec, sizeLength, indexLength };
}

function speechOf(name: string): SpeechFormat | null {
  if (name === 'PCMU' || name === 'PCMA') return { kind: G711[name] };
  // Hikvision writes "PCM", and leaves open which byte comes first.
  if (name === 'L16' || name === 'PCM') return { kind: 'linear', unsure: name === 'PCM' };
  const [, aal2, rate] = /^(AAL2-)?G726-(16|24|32|40)$/.exec(name === 'G721' ? 'G726-32' : name) ?? [];
  if (!rate) return null;
  return { kind: 'g726', bits: (Number(rate) / 8) as 2 | 3 | 4 | 5, highFirst: aal2 !== undefined };
}

/** RTP counts what comes out of spectral band replication: twice as much as is coded (RFC 3640 §4.1). */
function aacOf(config: Buffer, described: number): { codec: AudioCodec; clockRate: number } | null {
  const read = parseAudioConfig(config);
  if (!read) return null;
  const clockRate = within(AAC_RATES, described) ?? read.rate;
  const codec: AudioCodec = {
    kind: 'aac',
    clockRate: clockRate === 2 * read.rate ? read.rate : clockRate,
    channels: read.channels,
    config,
    codec: `mp4a.40.${read.objectType}`,
  };
  return { codec, clockRate };
}

/** RFC 6416 §7.4: the configuration stands in the description, and perhaps in the stream as well. */
function latmOf(
  track: Omit<SoundTrack, 'codec' | 'clockRate'>,
  described: number,
  fmtp: Map<string, string> | undefined,
): SoundTrack | null {
  const mux = parseStreamMux(Buffer.from(fmtp?.get('config') ?? '', 'hex'));
  const codec = mux && aacOf(mux.config, described);
  return codec && { ...track, ...codec, latm: { mux, inBand: fmtp?.get('cpresent') !== '0' } };
}

/** What the camera offers as sound, for the message to a person; null: none. */
export const offeredSound = (sdp: Sdp): string | null =>
  sdp.media
    .filter((m) => m.kind === 'audio' && !m.sendOnly)
    .flatMap((m) => (m.rtpmap.size > 0 ? [...m.rtpmap.values()].map((r) => r.encoding) : m.payloadTypes.map(String)))
    .join(', ') || null;

/** What the camera offers as video, for the message to a person. */
export const offeredVideo = (sdp: Sdp): string =>
  sdp.media
    .filter((m) => m.kind === 'video')
    .flatMap((m) =>
      m.rtpmap.size > 0 ? [...m.rtpmap.values()].map((r) => r.encoding) : m.payloadTypes.map(staticName),
    )
    .join(', ') || 'no video';

const staticName = (payloadType: number) =>
  ({ 26: 'JPEG', 31: 'H261', 32: 'MPEG', 33: 'MPEG-TS', 34: 'H263' })[payloadType] ?? `payload type ${payloadType}`;

function kindOf(encoding: string | undefined, fmtp: Map<string, string> | undefined): VideoTrack['kind'] | null {
  if (encoding === 'H264') return 'h264';
  if (encoding === 'H265' || encoding === 'HEVC') return 'h265';
  if (encoding !== undefined) return null;
  if (fmtp?.has('sprop-parameter-sets')) return 'h264';
  if (fmtp?.has('sprop-sps')) return 'h265';
  return null;
}

function parameterSets(fmtp: Map<string, string> | undefined): Buffer[] {
  return ['sprop-vps', 'sprop-sps', 'sprop-pps', 'sprop-parameter-sets']
    .flatMap((name) => fmtp?.get(name)?.split(',') ?? [])
    .map((text) => Buffer.from(text.trim(), 'base64'))
    .filter((nal) => nal.length > 3 && nal.length <= 4096);
}
