import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import type { Page } from 'playwright-core';

const source = readFileSync(new URL('../../lab/clock-reader.ts', import.meta.url), 'utf8');
const reader = stripTypeScriptTypes(source).replaceAll(/^export /gm, '');

export interface Seen {
  state: string | undefined;
  path: string | undefined;
  width: number;
  /** The machine-readable clock in the picture that is on the screen; null: none moves, or it cannot be read. */
  clock: number | null;
  /** How old that is, in milliseconds. */
  behind: number;
  message: string;
}

/** What a window shows: the clock is read from the decoded picture (lab/clock-reader.ts), not from anything that is said of it. */
export async function look(page: Page, label: string): Promise<Seen> {
  const found = await page.evaluate(
    ({ reader, label }) => {
      const own = window as unknown as { readClock?: (frame: object) => number | null };
      own.readClock ??= new Function(`${reader}; return readClock;`)() as NonNullable<typeof own.readClock>;
      const figure = [...document.querySelectorAll<HTMLElement>('figure.video-window')].find(
        (one) => one.getAttribute('aria-label') === label,
      );
      const video = figure?.querySelector<HTMLVideoElement>('video[data-shown="true"]');
      let clock: number | null = null;
      if (video && video.videoWidth > 0) {
        const canvas = document.createElement('canvas');
        canvas.width = video.videoWidth;
        // The clock stands at the top.
        canvas.height = Math.ceil(video.videoHeight / 8);
        const context = canvas.getContext('2d')!;
        context.drawImage(video, 0, 0);
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        clock = own.readClock({ data, width: video.videoWidth, height: video.videoHeight, channels: 4 });
      }
      return {
        state: figure?.dataset.state,
        path: figure?.querySelector<HTMLElement>('[data-path]')?.dataset.path,
        width: video?.videoWidth ?? 0,
        clock,
        behind: clock === null ? Number.POSITIVE_INFINITY : Date.now() - clock,
        message: figure?.querySelector('.video-message')?.textContent ?? '',
      };
    },
    { reader, label },
  );
  return found;
}

/** Looks again and again until it is as it should be, or says what it was. */
export async function until(page: Page, label: string, ok: (seen: Seen) => boolean, limitMs = 20_000): Promise<Seen> {
  const end = Date.now() + limitMs;
  for (;;) {
    const seen = await look(page, label);
    if (ok(seen)) return seen;
    if (Date.now() > end) throw new Error(`${label}: ${JSON.stringify(seen)}`);
    await page.waitForTimeout(50);
  }
}

/**
 * Looks until so many pictures of different times were on the screen since now, or says how many there were; gives how far they were behind at the
 * worst. On two shared cores with encoders they come slower than the camera sends them.
 */
export async function follow(page: Page, label: string, pictures: number, limitMs = 15_000): Promise<number> {
  const clocks = new Set<number>();
  let behind = 0;
  const end = Date.now() + limitMs;
  while (clocks.size < pictures) {
    const seen = await look(page, label);
    if (seen.clock !== null) {
      clocks.add(seen.clock);
      behind = Math.max(behind, seen.behind);
    }
    if (Date.now() > end) throw new Error(`${label}: ${clocks.size} pictures, ${JSON.stringify(seen)}`);
  }
  return behind;
}

/** The clock of each picture of a video file, decoded by ffmpeg. */
export function clocksOf(file: string): (number | null)[] {
  const [width, height] = [640, 360];
  const pixels = ['-vf', `scale=${width}:${height}`, '-fps_mode', 'passthrough', '-pix_fmt', 'gray', '-f', 'rawvideo'];
  const data = execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-i', file, ...pixels, 'pipe:1'], {
    maxBuffer: 200 * width * height,
  });
  const read = new Function(`${reader}; return readClock;`)() as (frame: object) => number | null;
  return Array.from({ length: data.length / (width * height) }, (_, i) =>
    read({ data: data.subarray(i * width * height, (i + 1) * width * height), width, height, channels: 1 }),
  );
}
