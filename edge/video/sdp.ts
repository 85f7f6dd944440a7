import { type AudioCodec, parseAudioConfig } from './audio.ts';

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
  codec: AudioCodec;
  payloadType: number;
  control: string | null;
  /** Bits of the fields of an AU header (RFC 3640 §3.2.1); 0 for G.711. */
  sizeLength: number;
  indexLength: number;
}

const MAX_MEDIA = 32;
/** Ticks a second of pictures: 90,000 by the standards; a camera that says otherwise is believed within reason. */
const VIDEO_RATES = [1_000, 1_000_000] as const;
const G711_RATES = [8_000, 48_000] as const;
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

/** The first sound that can be used: G.711 or AAC (RFC 3640). null: there is none. */
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

function soundOf(media: SdpMedia, payloadType: number): SoundTrack | null {
  const { control } = media;
  const map = media.rtpmap.get(payloadType);
  const name = map?.encoding ?? { 0: 'PCMU', 8: 'PCMA' }[payloadType];
  if (name === 'PCMU' || name === 'PCMA') {
    // Silence of a billion samples a second is a lot of memory.
    const clockRate = within(G711_RATES, map?.clockRate || 8000);
    const channels = map?.channels || 1;
    if (clockRate === null || channels > MAX_SOUND_CHANNELS) return null;
    const codec = { kind: G711[name], clockRate, channels, config: null, codec: name };
    return { codec, payloadType, control, sizeLength: 0, indexLength: 0 };
  }
  const fmtp = media.fmtp.get(payloadType);
  if (name !== 'MPEG4-GENERIC' || !fmtp) return null;
  const config = Buffer.from(fmtp.get('config') ?? '', 'hex');
  const read = parseAudioConfig(config);
  const sizeLength = Number(fmtp.get('sizelength') ?? 13);
  const indexLength = Number(fmtp.get('indexlength') ?? 3);
  // Low and high bit rate alike; interleaving and other shapes are not spoken by cameras.
  if (!read || !(sizeLength > 0 && sizeLength <= 16) || !(indexLength >= 0 && indexLength <= 8)) return null;
  const codec: AudioCodec = {
    ...{ kind: 'aac', clockRate: within(AAC_RATES, map?.clockRate) ?? read.rate, channels: read.channels, config },
    codec: `mp4a.40.${read.objectType}`,
  };
  return { codec, payloadType, control, sizeLength, indexLength };
}

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
