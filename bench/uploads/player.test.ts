import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { asUser, clipReport, startClipRelay } from '../../relay/clips/testing/relay.ts';
import { type SampleFragment, sampleClip } from '../../relay/clips/testing/sample.ts';

let browser: Browser;
let dir: string;
let relay: Awaited<ReturnType<typeof startClipRelay>>;
let sample: SampleFragment[];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-player-'));
  relay = await startClipRelay({ dir });
  sample = sampleClip({ seconds: 12 });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
});
afterAll(async () => {
  await browser?.close();
  await relay.stop();
  rmSync(dir, { recursive: true });
});

async function store(clipId: string, ...fragments: SampleFragment[]): Promise<void> {
  for (const f of fragments) {
    const { url } = relay.grants.sign('ACDEFGHJK', { clipId, ...f });
    const headers = { 'x-gatepost-sha256': f.sha256 };
    const answer = await fetch(new URL(url, relay.url), { method: 'PUT', headers, body: new Uint8Array(f.data) });
    expect(answer.status).toBe(200);
  }
}

async function open(clipId: string): Promise<Page> {
  const page = await browser.newPage({ extraHTTPHeaders: asUser() });
  await page.goto(`${relay.url}/api/v1/clips/${clipId}`);
  await page.evaluate((src) => {
    document.body.innerHTML = '<video muted preload="auto"></video>';
    const player = document.querySelector('video') as HTMLVideoElement;
    player.src = src;
  }, `/api/v1/clips/${clipId}/video`);
  return page;
}

/** Seeks and returns where the picture shown is, and the length the player believes in. */
const seek = (page: Page, to: number) =>
  page.evaluate(async (seconds) => {
    const player = document.querySelector('video') as HTMLVideoElement;
    const event = (name: string) =>
      new Promise<void>((resolve, reject) => {
        player.addEventListener(name, () => resolve(), { once: true });
        player.addEventListener('error', () => reject(new Error(player.error?.message)), { once: true });
      });
    if (player.readyState < 2) await event('loadeddata');
    const shown = new Promise<number>((resolve) => {
      player.requestVideoFrameCallback((_, frame) => resolve(frame.mediaTime));
    });
    player.currentTime = seconds;
    await event('seeked');
    return { duration: player.duration, picture: await shown };
  }, to);

describe('Chromium', () => {
  it('plays a clip while it arrives, knows its length, and seeks in it once it is joined', async () => {
    const clipId = uuidv7();
    await relay.report(clipReport(clipId));
    await store(clipId, ...sample.slice(0, 7));
    const growing = await open(clipId);
    const partial = await seek(growing, 5.5);
    expect(partial.duration).toBeCloseTo(6, 1);
    expect(partial.picture).toBeCloseTo(5.5, 1);

    await store(clipId, ...sample.slice(7));
    await relay.report(clipReport(clipId, { state: 'ended', fragments: 12, durationMs: 12_000 }));
    await vi.waitFor(async () => {
      const { swept } = await relay.db
        .selectFrom('clips')
        .select('swept')
        .where('id', '=', clipId)
        .executeTakeFirstOrThrow();
      expect(swept).toBeGreaterThan(0);
    });
    const joined = await open(clipId);
    for (const to of [11.4, 0.6, 7.2]) {
      const { duration, picture } = await seek(joined, to);
      expect(duration).toBeCloseTo(12, 1);
      expect(Math.abs(picture - to)).toBeLessThan(0.05);
    }
  });

  it('plays on behind a gap of a clip that stays incomplete', async () => {
    const clipId = uuidv7();
    await store(clipId, ...sample.filter((f) => f.n !== 4));
    await relay.report(clipReport(clipId, { state: 'incomplete', fragments: 12, reason: 'part 4 is lost' }));
    const page = await open(clipId);
    const { duration, picture } = await seek(page, 9.3);
    expect(duration).toBeCloseTo(12, 1);
    expect(Math.abs(picture - 9.3)).toBeLessThan(0.05);
  });
});
