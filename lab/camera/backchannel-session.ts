import type { Socket } from 'node:net';
import type { Heard } from '../talk/heard.ts';
import { encode, header, type RtspMessage } from './rtsp-messages.ts';

/** How an ONVIF camera takes sound; tests switch these. */
export interface BackchannelOdd {
  /** As it stands in its description; null: it has no loudspeaker. */
  codec: 'PCMU/8000' | 'PCMA/8000' | 'L16/16000' | 'G726-32/8000' | null;
  /** What is required is not known (551), or not looked at. */
  require: 'known' | 'unknown' | 'ignored';
  /** A second voice is answered 453. */
  busy: boolean;
  /** Hangs up after so many packets. */
  hangUpAfter: number | null;
  /** PLAY is not answered. */
  mute: boolean;
}
export const plainBackchannel: BackchannelOdd = {
  codec: 'PCMU/8000',
  require: 'known',
  busy: false,
  hangUpAfter: null,
  mute: false,
};

export const BACKCHANNEL = 'www.onvif.org/ver20/backchannel';
export const asksBackchannel = (message: RtspMessage): boolean => header(message, 'require') === BACKCHANNEL;

/** What is shared by the connections of one camera. */
export interface Loudspeaker {
  odd: BackchannelOdd;
  heard: Heard;
  /** Sessions that play; one at a time. */
  speaking: Set<object>;
  sessionsTotal: number;
  packets: { sequence: number; timestamp: number; marker: boolean }[];
}

const TYPES: Record<string, number> = { 'PCMU/8000': 0, 'PCMA/8000': 8 };
const REASONS: Record<string, string> = {
  200: 'OK',
  404: 'Not Found',
  453: 'Not Enough Bandwidth',
  454: 'Session Not Found',
  461: 'Unsupported Transport',
  551: 'Option not supported',
};

/** One connection that speaks to a camera: the way back of ONVIF's streaming specification §5.3. */
export class BackchannelSession {
  readonly #client: Socket;
  readonly #speaker: Loudspeaker;
  readonly #session = String(1_000_000 + Math.floor(Math.random() * 9_000_000));
  #channel: number | null = null;
  #playing = false;

  constructor(client: Socket, speaker: Loudspeaker) {
    this.#client = client;
    this.#speaker = speaker;
  }

  request(message: RtspMessage): void {
    const [method = '', uri = ''] = message.first.split(' ');
    const { odd } = this.#speaker;
    const say = (status: number, headers: [string, string][] = [], body = '') => {
      const length: [string, string][] = body ? [['Content-Length', String(Buffer.byteLength(body))]] : [];
      const first = `RTSP/1.0 ${status} ${REASONS[status]}`;
      const all: [string, string][] = [['CSeq', header(message, 'cseq') ?? '0'], ...headers, ...length];
      this.#client.write(encode({ first, headers: all, body: Buffer.from(body) }));
    };
    const session: [string, string] = ['Session', `${this.#session};timeout=60`];
    if (method === 'OPTIONS') return void say(200, [['Public', 'OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN']]);
    if (method === 'DESCRIBE') {
      if (odd.require === 'unknown') return void say(551, [['Unsupported', BACKCHANNEL]]);
      const lines = ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=live', 'c=IN IP4 0.0.0.0', 't=0 0', 'a=control:*'];
      lines.push('m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', 'a=control:trackID=0', 'a=recvonly');
      lines.push('m=audio 0 RTP/AVP 0', 'a=control:trackID=1', 'a=recvonly');
      if (odd.codec && odd.require === 'known') {
        const type = TYPES[odd.codec] ?? 107;
        lines.push(`m=audio 0 RTP/AVP ${type}`, `a=rtpmap:${type} ${odd.codec}`, 'a=control:trackID=5', 'a=sendonly');
      }
      const headers: [string, string][] = [
        ['Content-Type', 'application/sdp'],
        ['Content-Base', `${uri}/`],
      ];
      return void say(200, headers, `${lines.join('\r\n')}\r\n`);
    }
    // Every request that is about the way back must say so.
    if (!asksBackchannel(message) && method !== 'GET_PARAMETER') return void say(551);
    if (method === 'SETUP') {
      if (!uri.endsWith('/trackID=5')) return void say(404);
      if (odd.busy || this.#speaker.speaking.size > 0) return void say(453);
      const at = /RTP\/AVP\/TCP;.*interleaved=(\d+)-/.exec(header(message, 'transport') ?? '')?.[1];
      if (at === undefined) return void say(461);
      this.#channel = Number(at);
      return void say(200, [
        session,
        ['Transport', `RTP/AVP/TCP;unicast;interleaved=${at}-${Number(at) + 1};ssrc=5A3C1E20`],
      ]);
    }
    if (header(message, 'session') !== this.#session) return void say(454);
    if (method === 'PLAY') {
      if (odd.mute) return;
      this.#playing = true;
      this.#speaker.speaking.add(this);
      this.#speaker.sessionsTotal++;
    }
    if (method === 'TEARDOWN') this.close();
    say(200, [session]);
  }

  /** An interleaved frame of the client. */
  frame(frame: Buffer): void {
    const rtp = frame.subarray(4);
    if (!this.#playing || frame[1] !== this.#channel || rtp.length < 12) return;
    const { heard, packets, odd } = this.#speaker;
    heard.push(rtp.subarray(12));
    packets.push({ sequence: rtp.readUInt16BE(2), timestamp: rtp.readUInt32BE(4), marker: (rtp[1]! & 0x80) !== 0 });
    if (packets.length > 50_000) packets.shift();
    if (odd.hangUpAfter !== null && packets.length >= odd.hangUpAfter) this.#client.destroy();
  }

  close(): void {
    this.#playing = false;
    this.#speaker.speaking.delete(this);
  }
}
