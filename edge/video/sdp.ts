/*
 * Session descriptions (RFC 4566) as cameras write them: missing or doubled lines, attributes in the wrong section,
 * payload types that do not match. Only what a video pull needs is read, nothing is required.
 */
export interface SdpMedia {
  kind: string;
  payloadTypes: number[];
  control: string | null;
  /** Payload type → encoding name (upper case) and clock rate. */
  rtpmap: Map<number, { encoding: string; clockRate: number }>;
  /** Payload type → parameters, names in lower case. */
  fmtp: Map<number, Map<string, string>>;
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

const MAX_MEDIA = 32;

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
      };
      sdp.media.push(media);
      continue;
    }
    const attribute = /^a=([A-Za-z-]+):\s*(.*)$/.exec(line);
    if (!attribute) continue;
    const [, name = '', value = ''] = attribute;
    if (name.toLowerCase() === 'control') {
      if (media) media.control ??= value.trim();
      else sdp.control ??= value.trim();
    } else if (media) {
      readAttribute(media, name.toLowerCase(), value);
    }
  }
  return sdp;
}

function readAttribute(media: SdpMedia, name: string, value: string): void {
  if (name === 'rtpmap') {
    const m = /^(\d+)\s+([^\s/]+)(?:\/(\d+))?/.exec(value);
    if (m) media.rtpmap.set(Number(m[1]), { encoding: m[2]!.toUpperCase(), clockRate: Number(m[3] ?? 0) });
  } else if (name === 'fmtp') {
    const m = /^(\d+)\s+(.*)$/.exec(value);
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
        clockRate: media.rtpmap.get(payloadType)?.clockRate || 90_000,
        control: media.control,
        parameterSets: parameterSets(fmtp),
        donl: Number(fmtp?.get('sprop-max-don-diff') ?? 0) > 0,
      };
    }
  }
  return null;
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
