import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Logger } from 'pino';
import type { DeviceProfile } from '../devices/profile.ts';

/** Behind it stands 1 for the main stream, 2 for the sub-stream. */
const RTSP_PATH = '/streaming/channels/10';

export const VIDEO_CODECS = ['h264', 'h265', 'mjpeg'] as const;
export const SOUNDS = ['none', 'pcmu', 'pcma', 'aac'] as const;
/** How a camera codes its main stream, what its microphone sends, and how far its key frames are apart. */
export interface Coding {
  codec: (typeof VIDEO_CODECS)[number];
  sound: (typeof SOUNDS)[number];
  keyFrameMs: number;
}

type Message = { ports: Record<string, number> } | { id: number; jpeg: string };

export interface VideoOptions {
  cameras: DeviceProfile[];
  python: string;
  log: Logger;
}

/** Old cameras have a main stream only. */
export const hasSub = (odd: DeviceProfile['odd']): boolean => !odd.errorsWith200;

/**
 * The process that draws and encodes the pictures of all cameras (server.py). It ends when its stdin does, so it outlives
 * nobody; should it crash, it is started again.
 */
export class Video {
  readonly #options: VideoOptions;
  readonly #waiting = new Map<number, (jpeg: Buffer) => void>();
  #child: ChildProcessByStdio<Writable, Readable, null> | null = null;
  #ports: Record<string, number> = {};
  #stopping = false;
  #lastId = 0;

  constructor(options: VideoOptions) {
    this.#options = options;
  }

  /** Resolves when the cameras are served; rejects with advice when this machine lacks what it takes. */
  async start(): Promise<void> {
    const config = this.#options.cameras.map(({ name, address, fps, keyFrameMs, kbps, codec, sound, odd }) => ({
      name,
      address,
      fps,
      keyFrameMs,
      kbps,
      codec,
      audio: sound,
      parameterSets: odd.parameterSets,
      sub: hasSub(odd),
      path: RTSP_PATH,
    }));
    const script = `${import.meta.dirname}/server.py`;
    const child = spawn(this.#options.python, ['-B', script, JSON.stringify(config)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child = child;
    child.stdin.on('error', () => {});
    const failed = new Promise<boolean>((resolve) => {
      child.once('error', () => resolve(false)).once('exit', () => resolve(false));
    });
    const ready = new Promise<boolean>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const message = JSON.parse(line) as Message;
        if ('ports' in message) {
          this.#ports = message.ports;
          resolve(true);
        } else {
          this.#waiting.get(message.id)?.(Buffer.from(message.jpeg, 'base64'));
          this.#waiting.delete(message.id);
        }
      });
    });
    if (!(await Promise.race([ready, failed]))) {
      throw new Error(
        `${this.#options.python} could not serve the cameras' video: Debian packages python3-gi, gir1.2-gst-rtsp-server-1.0, gir1.2-gst-plugins-base-1.0 and gstreamer1.0-plugins-good, -bad and -ugly are needed (or start with --no-video)`,
      );
    }
    child.once('exit', (code, signal) => {
      if (this.#stopping) return;
      this.#options.log.error({ code, signal }, 'the video process ended; it is started again');
      setTimeout(() => !this.#stopping && this.start().catch((error) => this.#options.log.error(error)), 1000);
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    child.stdin.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), 2000);
    await once(child, 'exit');
    clearTimeout(timer);
  }

  get python(): string {
    return this.#options.python;
  }

  upstream(profile: DeviceProfile): { host: string; port: number } {
    return { host: profile.address, port: this.#ports[profile.name]! };
  }

  /** What the camera sees now, as JPEG. */
  snapshot(name: string): Promise<Buffer> {
    const id = ++this.#lastId;
    this.#say({ snapshot: name, id });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error('no picture'));
      }, 5000);
      this.#waiting.set(id, (jpeg) => {
        clearTimeout(timer);
        if (jpeg.length > 0) resolve(jpeg);
        else reject(new Error('no picture'));
      });
    });
  }

  label(camera: string, label: string): void {
    this.#say({ camera, label });
  }

  /** Key frames as far apart as this at once; whoever connects from now on gets these codecs. */
  code(camera: string, { sound, ...coding }: Partial<Coding>): void {
    this.#say({ camera, set: { ...coding, ...(sound && { audio: sound }) } });
  }

  #say(message: object): void {
    if (this.#child?.stdin.writable) this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }
}
