import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../protocol/clock.ts';
import { asksForSound, type KeepAliveMemory, PullError, type PullHandlers } from './pull.ts';
import { header, type RtspMessage, RtspReader } from './rtsp-message.ts';
import { findSound, findVideo, parseSdp } from './sdp.ts';
import { H264_FOR_VIEWERS } from './transcoded-source.ts';

export interface FfmpegPullOptions {
  /** Without credentials. */
  url: string;
  username: string;
  password: string;
  ffmpeg: string;
  clock: Clock;
  handlers: PullHandlers;
  stallMs?: number;
  /** The camera turned video over TCP down. ffmpeg goes from TCP to UDP on a 461 only, but from UDP to TCP on silence too. */
  udp?: boolean;
  /** Pictures are made anew as H.264: the camera sends something that nobody here takes. */
  encode?: boolean;
  /** Whether its sound is asked for; told of sound that cannot be passed on. */
  memory?: KeepAliveMemory;
}

const START_MS = 20_000;
const MAX_STDERR = 4096;

/**
 * The pull for cameras that our own client cannot speak to (UDP only, odd dialogues, MJPEG): ffmpeg fetches, copies (or
 * makes H.264 of what is neither H.264 nor H.265), and publishes to a listener of ours on loopback (RTSP ANNOUNCE and RECORD, interleaved TCP), so that
 * descriptions, packets and timestamps take the same way as always.
 *
 * The address with the password goes to ffmpeg's standard input as a playlist of one: a command line is there for every
 * user of the machine to read.
 */
export class FfmpegPull {
  readonly #o: Required<FfmpegPullOptions>;
  #lastPacketMs = 0;

  constructor(options: FfmpegPullOptions) {
    this.#o = { stallMs: 15_000, udp: false, encode: false, memory: { method: null }, ...options };
  }

  /** Runs until `signal` aborts or something ends it; never rejects. */
  async run(signal: AbortSignal): Promise<PullError> {
    if (signal.aborted) return new PullError('stopped', 'the box ended it');
    // It would send its login to whatever certificate.
    if (/^rtsps:/i.test(this.#o.url))
      return new PullError('forbidden', 'over TLS the camera sends video that the box does not take by itself');
    const { clock } = this.#o;
    // Whoever else connects to the listener does not know the path.
    const path = `/${randomBytes(16).toString('hex')}`;
    let unreadable = (_: unknown) => {};
    const { server, sockets } = await this.#listen(path, (error) => unreadable(error));
    const { port } = server.address() as AddressInfo;
    const { encode, memory } = this.#o;
    const sound = asksForSound(memory) ? ['-map', '0:a:0?', '-c:a', 'copy'] : [];
    const how = [...(encode ? ENCODE : ['-c:v', 'copy']), ...sound, '-f', 'rtsp', '-rtsp_transport', 'tcp'];
    const child = spawn(this.#o.ffmpeg, [...FETCH, ...how, `rtsp://127.0.0.1:${port}${path}`], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-MAX_STDERR);
    });
    child.stdin.on('error', () => {});
    child.stdin.end(this.#playlist());
    this.#lastPacketMs = clock.mono() + START_MS - this.#o.stallMs;

    const cancels: (() => void)[] = [];
    let stopped: PullError | null = null;
    const stop = (why: PullError) => {
      if (stopped) return;
      stopped = why;
      // It says TEARDOWN when asked nicely.
      child.kill('SIGTERM');
      cancels.push(clock.after(2_000, () => child.kill('SIGKILL')));
    };
    unreadable = (cause) => stop(new PullError('protocol', 'what the camera sent could not be read', { cause }));
    const onAbort = () => stop(new PullError('stopped', 'the box ended it'));
    signal.addEventListener('abort', onAbort);
    cancels.push(
      clock.every(1_000, () => {
        if (clock.mono() - this.#lastPacketMs > this.#o.stallMs)
          stop(new PullError('stalled', 'ffmpeg gives no video'));
      }),
    );
    const failed = await new Promise<PullError | null>((resolve) => {
      child.once('error', () =>
        resolve(new PullError('protocol', 'ffmpeg, which this camera needs, cannot be started')),
      );
      child.once('close', () => resolve(null));
    });
    signal.removeEventListener('abort', onAbort);
    for (const cancel of cancels) cancel();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    if (!stopped && !failed && SOUND_REFUSED.test(stderr) && asksForSound(memory)) {
      memory.soundFailures = (memory.soundFailures ?? 0) + 1;
      return new PullError('closed', 'the sound of the camera cannot be passed on');
    }
    return stopped ?? failed ?? explain(stderr);
  }

  async #listen(path: string, unreadable: (error: unknown) => void): Promise<{ server: Server; sockets: Set<Socket> }> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      const reader = new RtspReader({
        frame: (channel, payload) => {
          if (channel === 2) this.#o.handlers.sound?.(payload);
          if (channel % 2 === 1) this.#o.handlers.report?.(channel === 1 ? 'picture' : 'sound', payload);
          if (channel !== 0) return;
          this.#lastPacketMs = this.#o.clock.mono();
          this.#o.handlers.packet(payload);
        },
        message: (message) => {
          if (message.method === null) return;
          if (!message.uri.endsWith(path) && !message.uri.includes(`${path}/`)) {
            reader.stop();
            socket.destroy();
            return;
          }
          for (const channel of [0, 1, 2, 3]) reader.channels.add(channel);
          socket.write(this.#answer(message));
        },
      });
      socket.on('data', (chunk) => {
        try {
          reader.push(chunk);
        } catch (error) {
          // One odd camera must not take the box with it.
          reader.stop();
          socket.destroy();
          unreadable(error);
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { server, sockets };
  }

  #answer(request: RtspMessage): string {
    const lines = [`CSeq: ${header(request, 'cseq') ?? '0'}`, 'Session: 1'];
    if (request.method === 'OPTIONS') lines.push('Public: OPTIONS, ANNOUNCE, SETUP, RECORD, TEARDOWN');
    if (request.method === 'SETUP') {
      // Pictures are mapped first, sound behind them.
      const channels = request.uri.endsWith('streamid=1') ? '2-3' : '0-1';
      lines.push(`Transport: RTP/AVP/TCP;unicast;interleaved=${channels};mode=record`);
    }
    if (request.method === 'ANNOUNCE') {
      const sdp = parseSdp(request.body.toString('utf8'));
      const track = findVideo(sdp);
      if (track) this.#o.handlers.track(track, findSound(sdp));
      else return `RTSP/1.0 415 Unsupported Media Type\r\n${lines.join('\r\n')}\r\n\r\n`;
    }
    return `RTSP/1.0 200 OK\r\n${lines.join('\r\n')}\r\n\r\n`;
  }

  #playlist(): string {
    const encode = (text: string) =>
      encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
    const login = `${encode(this.#o.username)}:${encode(this.#o.password)}@`;
    const url = this.#o.url.replace(/^rtsp:\/\//i, (scheme) => `${scheme}${login}`).replaceAll(/['\r\n]/g, '');
    const first = this.#o.udp ? '' : 'option rtsp_flags prefer_tcp\n';
    return `ffconcat version 1.0\nfile '${url}'\n${first}option timeout 10000000\n`;
  }
}

const FETCH = [
  ...['-nostdin', '-hide_banner', '-loglevel', 'error'],
  ...['-fflags', 'nobuffer', '-probesize', '500000', '-analyzeduration', '1000000'],
  ...['-f', 'concat', '-safe', '0', '-protocol_whitelist', 'pipe,rtsp,rtp,tcp,udp', '-i', 'pipe:0'],
  ...['-map', '0:v:0'],
];
/** Not larger than what a core can do. */
const ENCODE = [
  ...['-vf', "scale='min(1920,iw)':-2:flags=fast_bilinear", ...H264_FOR_VIEWERS],
  ...['-fps_mode', 'passthrough', '-enc_time_base', '1:90000'],
];
/** It found no way to send it: everything else was copied before. */
const SOUND_REFUSED = /Unsupported codec|Could not write header|Unable to open|incorrect codec parameters/;

/** ffmpeg's words hold addresses with passwords: only what is known is passed on. */
function explain(stderr: string): PullError {
  if (/401 Unauthorized/.test(stderr)) return new PullError('refused', 'the camera refused user name or password');
  if (/403 Forbidden/.test(stderr)) return new PullError('forbidden', 'the camera answered 403 Forbidden');
  if (/404 (Stream )?Not Found/.test(stderr)) return new PullError('not-found', 'the camera has no such stream');
  if (/Connection refused|timed out|No route to host/.test(stderr)) {
    return new PullError('unreachable', 'the camera does not answer');
  }
  if (/415 Unsupported Media/.test(stderr))
    return new PullError('unsupported-codec', 'the camera sends no H.264 or H.265');
  return new PullError('closed', 'ffmpeg ended the pull');
}
