import { isIP } from 'node:net';

/** What a viewer's offer (RFC 8866, RFC 8829) says of one media section. */
export interface OfferedMedia {
  kind: string;
  mid: string;
  /** Payload types by encoding name (upper case), with their parameters. */
  codecs: { payload: number; name: string; fmtp: string }[];
  extensions: { id: number; uri: string }[];
  /** The viewer takes media in it: it is not refused (port 0, RFC 3264 §6), sendonly or inactive. */
  receives: boolean;
}
export interface Offer {
  /** Pictures and sound. */
  media: OfferedMedia[];
  /**
   * The offer of these alone, without candidates that are no addresses: names would have to be looked up, on behalf of whoever
   * wrote them.
   */
  sdp: string;
  /** Sections that nothing comes of, by their place: data channels, texts, and what the viewer itself refuses. */
  refused: { at: number; line: string; mid: string }[];
}

const MAX_SECTIONS = 8;
const MAX_LINES = 2_000;
/** In an offer, and in each fragment after it. */
const MAX_CANDIDATES = 32;
export const PLAYOUT_DELAY = 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay';

/** null: it makes no sense. */
export function parseOffer(sdp: string): Offer | null {
  const lines = sdp.split(/\r?\n/);
  if (!sdp.startsWith('v=0') || lines.length > MAX_LINES) return null;
  const sections: { media: OfferedMedia; lines: string[]; port: string; bundleOnly: boolean }[] = [];
  const head: string[] = [];
  let receives = true;
  let candidates = 0;
  for (const line of lines) {
    if (line.startsWith('a=candidate:') && (!isAddress(line) || ++candidates > MAX_CANDIDATES)) continue;
    const section = /^m=(\w{1,16}) (\d{0,5})/.exec(line);
    if (section) {
      const media = { kind: section[1]!, mid: '', codecs: [], extensions: [], receives };
      sections.push({ media, lines: [], port: section[2]!, bundleOnly: false });
    }
    const now = sections.at(-1);
    (now?.lines ?? head).push(line);
    const direction = /^a=(sendrecv|recvonly|sendonly|inactive)$/.exec(line)?.[1];
    const takes = direction === 'sendrecv' || direction === 'recvonly';
    if (now) {
      if (direction) now.media.receives = takes;
      if (line === 'a=bundle-only') now.bundleOnly = true;
      readLine(now.media, line);
    } else if (direction) receives = takes;
  }
  if (sections.length === 0 || sections.length > MAX_SECTIONS || sections.some(({ media }) => !media.mid)) return null;
  // A section that goes on the transport of another one has port 0 in an offer (RFC 9143 §6).
  const taken = sections.filter(
    ({ media, port, bundleOnly }) => /^(audio|video)$/.test(media.kind) && (port !== '0' || bundleOnly),
  );
  const mids = taken.map(({ media }) => media.mid);
  const kept = head.map((line) => (/^a=group:BUNDLE /.test(line) ? groupOf(line, mids) : line));
  const refused = sections.flatMap((section, at) => {
    const { lines, media } = section;
    return taken.includes(section) ? [] : [{ at, line: lines[0]!.replace(/^(m=\w+) \d*/, '$1 0'), mid: media.mid }];
  });
  const all = [...kept, ...taken.flatMap((section) => section.lines)].filter((line) => line !== '');
  return { media: taken.map(({ media }) => media), sdp: `${all.join('\r\n')}\r\n`, refused };
}

function readLine(media: OfferedMedia, line: string): void {
  const mid = /^a=mid:([\w!#$%&'*+.^`{|}~-]{1,32})$/.exec(line);
  if (mid) media.mid = mid[1]!;
  const map = /^a=rtpmap:(\d{1,3}) ([\w.-]{1,32})\//.exec(line);
  if (map) media.codecs.push({ payload: Number(map[1]), name: map[2]!.toUpperCase(), fmtp: '' });
  const fmtp = /^a=fmtp:(\d{1,3}) (.{0,512})$/.exec(line);
  const codec = fmtp && media.codecs.find(({ payload }) => payload === Number(fmtp[1]));
  if (codec) codec.fmtp = fmtp[2]!;
  const extension = /^a=extmap:(\d{1,2})(?:\/\w+)? (\S{1,128})/.exec(line);
  if (extension) media.extensions.push({ id: Number(extension[1]), uri: extension[2]! });
}

const groupOf = (line: string, mids: string[]) =>
  ['a=group:BUNDLE', ...line.split(' ').filter((mid) => mids.includes(mid))].join(' ');

/** The answer to the whole offer: each section has its place, a refused one port 0 (RFC 3264 §6). */
export function completeAnswer(answer: string, { refused }: Offer): string {
  if (refused.length === 0) return answer;
  const [head = '', ...sections] = answer.split(/^(?=m=)/m);
  for (const { at, line, mid } of refused)
    sections.splice(at, 0, `${line}\r\nc=IN IP4 0.0.0.0\r\na=mid:${mid}\r\na=inactive\r\n`);
  return [head, ...sections].join('');
}

/** Chromium refuses the High profile in SDP, and decodes it when it is sent as this. */
const CONSTRAINED_BASELINE = 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1';
const isBaseline = (fmtp: string) => /profile-level-id=42e0/i.test(fmtp);

/**
 * The payload type to send H.264 as, and the parameters of the answer: one that may be fragmented, Constrained Baseline
 * first, which every browser offers; the profile of another one is kept as it was offered (RFC 6184 §8.2.2).
 */
export function h264Choice({ codecs }: OfferedMedia): { payload: number; fmtp: string } | null {
  const fits = codecs.filter(
    ({ name, fmtp }) =>
      name === 'H264' && /(^|[; ])packetization-mode=1($|[; ])/.test(fmtp) && /^[\w=;,+/. -]*$/.test(fmtp),
  );
  const best = fits.find(({ fmtp }) => isBaseline(fmtp)) ?? fits[0];
  if (!best) return null;
  return { payload: best.payload, fmtp: isBaseline(best.fmtp) ? CONSTRAINED_BASELINE : best.fmtp };
}

export interface VideoChoice {
  media: OfferedMedia;
  h264: { payload: number; fmtp: string } | null;
  h265: number | null;
}

/** The first video section that the viewer takes something in that can be sent; `no-codec`: it takes other things only. */
export function chooseVideo({ media }: Offer): VideoChoice | 'no-section' | 'no-codec' {
  const sections = media.filter(({ kind, receives }) => kind === 'video' && receives);
  if (sections.length === 0) return 'no-section';
  const choices = sections.map((m) => ({ media: m, h264: h264Choice(m), h265: payloadOf(m, 'H265') }));
  return choices.find(({ h264, h265 }) => h264 !== null || h265 !== null) ?? 'no-codec';
}

export const payloadOf = ({ codecs }: OfferedMedia, name: string): number | null =>
  codecs.find((codec) => codec.name === name)?.payload ?? null;

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

/** `a=candidate:1 1 udp 2122 192.0.2.1 4000 typ host …` (RFC 8839 §5.1); one that makes no sense would spoil the rest. */
function isAddress(line: string): boolean {
  const [, address = '', port] =
    /^a=candidate:\S{1,64} [12] (?:udp|tcp) \d{1,10} (\S{1,64}) (\d{1,5}) typ (?:host|srflx|prflx|relay)(?: |$)/i.exec(
      line,
    ) ?? [];
  return isIP(address) !== 0 && Number(port) < 65_536;
}
