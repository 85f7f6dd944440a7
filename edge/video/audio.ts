/** How a channel's sound is coded; one object for as long as nothing changes. */
export interface AudioCodec {
  /** G.711 µ-law and A-law of one channel at 8 kHz, AAC, Opus. */
  kind: 'pcmu' | 'pcma' | 'aac' | 'opus';
  /** Samples a second; frames count their time in it. */
  clockRate: number;
  channels: number;
  /** AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1) of AAC. */
  config: Buffer | null;
  /** RFC 6381 (`mp4a.40.2`, `opus`), or the encoding's name (`PCMU`). */
  codec: string;
}

/** A piece of sound: one AAC access unit, one Opus packet, or what one packet brought of G.711. */
export interface AudioFrame {
  codec: AudioCodec;
  data: Buffer;
  /** In `codec.clockRate`, on the pictures' time line: `time / clockRate` and a picture's `time / 90 000` are one moment. */
  time: number;
  wallMs: number;
  monoMs: number;
  /** The epoch of the pictures beside it. */
  epoch: number;
}

/** Samples of one AAC access unit. */
export const AAC_SAMPLES = 1024;

/** How many ticks of `clockRate` a frame lasts. */
export function audioTicks({ codec, data }: Pick<AudioFrame, 'codec' | 'data'>): number {
  if (codec.kind === 'aac') return AAC_SAMPLES;
  return codec.kind === 'opus' ? opusTicks(data) : data.length;
}

/** What MP4 and Media Source Extensions take as it is. */
export const fitsMp4 = ({ kind }: Pick<AudioCodec, 'kind'>): boolean => kind === 'aac' || kind === 'opus';

/** How long an Opus packet lasts, at 48 kHz: its first byte says so (RFC 6716 §3.1). */
function opusTicks(packet: Buffer): number {
  const [toc = 0, count = 0] = packet;
  const config = toc >> 3;
  const ms =
    config < 12 ? [10, 20, 40, 60][config & 3]! : config < 16 ? [10, 20][config & 1]! : 2.5 * 2 ** (config & 3);
  const frames = [1, 2, 2, count & 63][toc & 3]!;
  return Math.min(ms * frames, 120) * 48;
}

const RATES = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/** Reads an AudioSpecificConfig; null: it makes no sense. */
export function parseAudioConfig(config: Buffer): { objectType: number; rate: number; channels: number } | null {
  if (config.length < 2 || config.length > 64) return null;
  let at = 0;
  const bits = (n: number) => {
    let value = 0;
    for (; n > 0; n--, at++) value = value * 2 + (((config[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    return value;
  };
  let objectType = bits(5);
  if (objectType === 31) objectType = 32 + bits(6);
  const index = bits(4);
  const rate = index === 15 ? bits(24) : RATES[index];
  const channels = bits(4);
  if (objectType === 0 || !rate || rate < RATES.at(-1)! || rate > RATES[0]! || channels > 8) return null;
  return { objectType, rate, channels: channels === 7 ? 8 : channels || 2 };
}
