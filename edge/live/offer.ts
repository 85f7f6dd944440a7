import { isIP } from 'node:net';

/** What a viewer's offer (RFC 8866, RFC 8829) says of one media section. */
export interface OfferedMedia {
  kind: string;
  mid: string;
  /** Payload types by encoding name (upper case), with their parameters. */
  codecs: { payload: number; name: string; fmtp: string }[];
  extensions: { id: number; uri: string }[];
}
export interface Offer {
  media: OfferedMedia[];
  /** The offer without candidates that are no addresses: names would have to be looked up, on behalf of whoever wrote them. */
  sdp: string;
}

const MAX_SECTIONS = 8;
const MAX_LINES = 2_000;
export const PLAYOUT_DELAY = 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay';

/** null: it makes no sense. */
export function parseOffer(sdp: string): Offer | null {
  const lines = sdp.split(/\r?\n/);
  if (!sdp.startsWith('v=0') || lines.length > MAX_LINES) return null;
  const media: OfferedMedia[] = [];
  const kept: string[] = [];
  for (const line of lines) {
    if (line.startsWith('a=candidate:') && !isAddress(line)) continue;
    kept.push(line);
    const section = /^m=(\w{1,16}) /.exec(line);
    if (section) media.push({ kind: section[1]!, mid: '', codecs: [], extensions: [] });
    const current = media.at(-1);
    if (!current) continue;
    const mid = /^a=mid:([\w!#$%&'*+.^`{|}~-]{1,32})$/.exec(line);
    if (mid) current.mid = mid[1]!;
    const map = /^a=rtpmap:(\d{1,3}) ([\w.-]{1,32})\//.exec(line);
    if (map) current.codecs.push({ payload: Number(map[1]), name: map[2]!.toUpperCase(), fmtp: '' });
    const fmtp = /^a=fmtp:(\d{1,3}) (.{0,512})$/.exec(line);
    const codec = fmtp && current.codecs.find(({ payload }) => payload === Number(fmtp[1]));
    if (codec) codec.fmtp = fmtp[2]!;
    const extension = /^a=extmap:(\d{1,2})(?:\/\w+)? (\S{1,128})/.exec(line);
    if (extension) current.extensions.push({ id: Number(extension[1]), uri: extension[2]! });
  }
  const sound = media.length > 0 && media.length <= MAX_SECTIONS && media.every(({ mid }) => mid !== '');
  return sound ? { media, sdp: kept.join('\r\n') } : null;
}

/** The payload type to send H.264 as: one that may be fragmented, Constrained Baseline first, which every browser offers. */
export function h264Payload({ codecs }: OfferedMedia): number | null {
  const fits = codecs.filter(({ name, fmtp }) => name === 'H264' && /packetization-mode=1/.test(fmtp));
  const best = fits.find(({ fmtp }) => /profile-level-id=42e0/i.test(fmtp)) ?? fits[0];
  return best?.payload ?? null;
}

export const payloadOf = ({ codecs }: OfferedMedia, name: string): number | null =>
  codecs.find((codec) => codec.name === name)?.payload ?? null;

const MAX_CANDIDATES = 32;

/** Candidates of an SDP fragment (RFC 8840 §9) with their section's mid; those that are no addresses are left out. */
export function candidatesOf(fragment: string): { candidate: string; mid: string }[] {
  const found: { candidate: string; mid: string }[] = [];
  let mid = '0';
  for (const line of fragment.split(/\r?\n/)) {
    const named = /^a=mid:(\S{1,32})$/.exec(line);
    if (named) mid = named[1]!;
    if (/^a=candidate:/.test(line) && isAddress(line) && found.length < MAX_CANDIDATES)
      found.push({ candidate: line.slice(2, 512), mid });
  }
  return found;
}

/** `a=candidate:1 1 udp 2122 192.0.2.1 4000 typ host …` */
const isAddress = (line: string) => isIP(line.split(' ')[4] ?? '') !== 0;
