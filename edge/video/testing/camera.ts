import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { systemClock } from '../../../protocol/clock.ts';
import { LoginGuard } from '../../devices/login-guard.ts';
import type { ChannelConfig } from '../../devices/types.ts';
import { Warnables } from '../../warnables.ts';

export interface CameraOptions {
  codec?: 'h264' | 'h265' | 'mjpeg';
  /** Distance of key frames, in frames. */
  keyFrames?: number;
  fps?: number;
  width?: number;
  height?: number;
  kbps?: number;
  user?: string;
  password?: string;
  udpOnly?: boolean;
  sound?: 'pcmu' | 'pcma' | 'aac';
}

export interface TestCamera {
  url: string;
  port: number;
  pid: number;
  /** How often the camera saw `connect`, `describe`, `play`, `teardown`, `close`. */
  count(event: string): number;
  stop(): Promise<void>;
}

/** Starts a gst-rtsp-server of its own on a free port of 127.0.0.1. */
export async function startCamera(options: CameraOptions = {}): Promise<TestCamera> {
  const script = fileURLToPath(new URL('camera.py', import.meta.url));
  const child = spawn('/usr/bin/python3', [script, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const events: string[] = [];
  const lines = createInterface({ input: child.stdout });
  const [first] = (await once(lines, 'line')) as [string];
  // GLib prints its complaints on standard output too.
  lines.on('line', (line) => line.startsWith('{') && events.push((JSON.parse(line) as { event: string }).event));
  const { port } = JSON.parse(first) as { port: number };
  return {
    url: `rtsp://127.0.0.1:${port}/Streaming/Channels/101`,
    port,
    pid: child.pid!,
    count: (event) => events.filter((e) => e === event).length,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

export const silent = pino({ level: 'silent' });
export const newWarnables = () => new Warnables({ clock: systemClock, log: silent });

export const DEVICE = '00000000-0000-7000-8000-000000000001';

export function channelConfig(rtspUrl: string, more: Partial<ChannelConfig> = {}): ChannelConfig {
  return {
    deviceId: DEVICE,
    channel: 1,
    name: 'Yard',
    rtspUrl,
    sub: null,
    username: 'admin',
    password: 'p@ss:word/123',
    guard: new LoginGuard(),
    ...more,
  };
}

/** Waits until `condition` holds; throws with `what` after `timeoutMs`. */
export async function until(condition: () => boolean, what: string, timeoutMs = 15_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
