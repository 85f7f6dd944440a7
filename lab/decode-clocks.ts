import { spawn } from 'node:child_process';
import { readClock } from './clock-reader.ts';

const WIDTH = 640;
const HEIGHT = 360;

/**
 * Decodes video with ffmpeg and reads the clock of each picture: Unix ms, null where it cannot be read, with the time at which
 * it was read. `input` is what follows `ffmpeg`, ending in `-i …`; it ends after `max` pictures or at the end of input.
 */
export async function decodeClocks(input: string[], max: number): Promise<{ clock: number | null; readAt: number }[]> {
  const output = ['-map', '0:v:0', '-vf', `scale=${WIDTH}:${HEIGHT}`, '-fps_mode', 'passthrough', '-pix_fmt', 'gray'];
  const args = ['-nostdin', '-v', 'error', ...input, ...output, '-frames:v', String(max), '-f', 'rawvideo', 'pipe:1'];
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const found: { clock: number | null; readAt: number }[] = [];
  let errors = '';
  child.stderr.on('data', (text) => {
    errors = (errors + text).slice(-1000);
  });
  const exit = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of child.stdout) {
    rest = Buffer.concat([rest, chunk]);
    for (; rest.length >= WIDTH * HEIGHT; rest = rest.subarray(WIDTH * HEIGHT)) {
      const clock = readClock({ data: rest, width: WIDTH, height: HEIGHT, channels: 1 });
      found.push({ clock, readAt: Date.now() });
    }
  }
  if ((await exit) !== 0) throw new Error(`ffmpeg: ${errors}`);
  return found;
}
