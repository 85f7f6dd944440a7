import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { Pacer } from './pacer.ts';

/**
 * An uplink with one first-in-first-out queue: a deterministic clock, a rate, a propagation delay, and pings that wait in
 * the queue like everything else. Uploads enter the queue as they are released: the worst case, a kernel that hides
 * nothing.
 */
class Uplink {
  clock = new ManualClock();
  delays: { at: number; ms: number }[] = [];
  delivered = 0;
  tunnelUp = true;
  #emptyAt = 0;
  #listeners = new Set<(ms: number, min: number) => void>();
  #min: number;
  bytesPerSecond: number;
  #rttMs: number;
  readonly #bufferMs: number;

  constructor(mbit: number, rttMs: number, samplesPerSecond: number, bufferMs = 1000) {
    this.bytesPerSecond = (mbit * 1e6) / 8;
    this.#rttMs = this.#min = rttMs;
    this.#bufferMs = bufferMs;
    this.clock.every(1000 / samplesPerSecond, () => {
      if (this.#listeners.size === 0 || !this.tunnelUp) return;
      const ms = this.queueMs() + this.#rttMs;
      this.delays.push({ at: this.clock.mono(), ms: this.queueMs() });
      this.clock.after(ms, () => {
        this.#min = Math.min(this.#min, ms);
        for (const fn of this.#listeners) fn(ms, this.#min);
      });
    });
  }
  onRtt = (fn: (ms: number, min: number) => void) => {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  };
  /** The way became longer. */
  reroute(rttMs: number): void {
    this.#rttMs = rttMs;
  }
  get listeners() {
    return this.#listeners.size;
  }
  queueMs(): number {
    return Math.max(0, this.#emptyAt - this.clock.mono());
  }
  /** False: the buffer is full, the bytes are lost. */
  send(bytes: number): boolean {
    if (this.queueMs() > this.#bufferMs) return false;
    this.#emptyAt = Math.max(this.clock.mono(), this.#emptyAt) + (bytes / this.bytesPerSecond) * 1000;
    return true;
  }
  /** Uploads until told to stop. */
  upload(pacer: Pacer, rank = 0): { stop: () => void; bytes: number } {
    const end = pacer.begin();
    const abort = new AbortController();
    const state = {
      bytes: 0,
      stop: () => {
        abort.abort();
        end();
      },
    };
    void (async () => {
      while (!abort.signal.aborted) {
        const bytes = pacer.chunkBytes;
        await pacer.take(bytes, rank, abort.signal);
        if (abort.signal.aborted) return;
        if (this.send(bytes)) state.bytes += bytes;
      }
    })();
    return state;
  }
  delayQuantile(q: number, fromMs: number): number {
    const sorted = this.delays.filter((d) => d.at >= fromMs).map((d) => d.ms);
    sorted.sort((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) * q)]!;
  }
}

const links = [
  { mbit: 2, rttMs: 40, hz: 10 },
  { mbit: 5, rttMs: 20, hz: 5 },
  { mbit: 20, rttMs: 10, hz: 5 },
  { mbit: 20, rttMs: 10, hz: 20 },
  { mbit: 20, rttMs: 120, hz: 5 },
  { mbit: 100, rttMs: 5, hz: 10 },
];

describe('pacer', () => {
  it.each(links)('fills $mbit Mbit/s of $rttMs ms at $hz samples/s and keeps its queue short', async (link) => {
    const uplink = new Uplink(link.mbit, link.rttMs, link.hz);
    const pacer = new Pacer({ clock: uplink.clock, onRtt: uplink.onRtt });
    const upload = uplink.upload(pacer);
    await uplink.clock.advance(10_000);
    const before = upload.bytes;
    await uplink.clock.advance(20_000);
    upload.stop();
    const share = (upload.bytes - before) / 20 / uplink.bytesPerSecond;
    expect(share).toBeGreaterThan(0.85);
    expect(uplink.delayQuantile(0.5, 10_000)).toBeLessThan(20);
    expect(uplink.delayQuantile(0.99, 10_000)).toBeLessThan(30);
    expect(uplink.delayQuantile(1, 0)).toBeLessThan(250);
  });

  it('stands samples that are late by chance', async () => {
    const uplink = new Uplink(20, 10, 10);
    let n = 0;
    // Every fourth sample is 30 ms late: a busy box, not a queue.
    const pacer = new Pacer({
      clock: uplink.clock,
      onRtt: (fn) => uplink.onRtt((ms, min) => fn(n++ % 4 === 0 ? ms + 30 : ms, min)),
    });
    const upload = uplink.upload(pacer);
    await uplink.clock.advance(10_000);
    const before = upload.bytes;
    await uplink.clock.advance(20_000);
    upload.stop();
    expect((upload.bytes - before) / 20 / uplink.bytesPerSecond).toBeGreaterThan(0.7);
  });

  it('is not starved by a machine so busy that every sample is late', async () => {
    const uplink = new Uplink(20, 2, 5);
    let seed = 1;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const pacer = new Pacer({
      clock: uplink.clock,
      onRtt: (fn) => uplink.onRtt((ms, min) => fn(ms + 60 * random(), min)),
    });
    const upload = uplink.upload(pacer);
    await uplink.clock.advance(60_000);
    upload.stop();
    expect(upload.bytes / 60).toBeGreaterThan(150_000);
  });

  it('yields to others who need the uplink, down to the floor, and takes it back afterwards', async () => {
    const uplink = new Uplink(10, 20, 10, 150);
    const floor = 32 * 1024;
    const pacer = new Pacer({ clock: uplink.clock, onRtt: uplink.onRtt, floorBytesPerSecond: floor });
    const upload = uplink.upload(pacer);
    await uplink.clock.advance(10_000);
    expect(pacer.rate).toBeGreaterThan(0.85 * uplink.bytesPerSecond);

    // A greedy sender that keeps the buffer of the router full, as any large TCP transfer does.
    const greedy = uplink.clock.every(1, () => {
      while (uplink.queueMs() < 140) uplink.send(1500);
    });
    await uplink.clock.advance(3_000);
    expect(pacer.rate).toBeLessThan(0.25 * uplink.bytesPerSecond);
    await uplink.clock.advance(12_000);
    const before = upload.bytes;
    await uplink.clock.advance(10_000);
    expect(pacer.rate).toBeLessThan(2 * floor);
    expect((upload.bytes - before) / 10).toBeGreaterThan(0.8 * floor);

    greedy();
    await uplink.clock.advance(6_000);
    expect(pacer.rate).toBeGreaterThan(0.85 * uplink.bytesPerSecond);
    upload.stop();
  });

  it('leaves what a steady other needs and follows a link that becomes slower', async () => {
    const uplink = new Uplink(10, 20, 10);
    const pacer = new Pacer({ clock: uplink.clock, onRtt: uplink.onRtt });
    const upload = uplink.upload(pacer);
    await uplink.clock.advance(10_000);
    const stop = uplink.clock.every(10, () => uplink.send(uplink.bytesPerSecond * 0.5 * 0.01));
    await uplink.clock.advance(10_000);
    const from = uplink.clock.mono();
    await uplink.clock.advance(10_000);
    expect(uplink.delayQuantile(0.99, from)).toBeLessThan(60);
    expect(pacer.rate).toBeGreaterThan(0.35 * uplink.bytesPerSecond);
    stop();
    uplink.bytesPerSecond /= 10;
    await uplink.clock.advance(6_000);
    const slowFrom = uplink.clock.mono();
    await uplink.clock.advance(10_000);
    expect(uplink.delayQuantile(0.5, slowFrom)).toBeLessThan(45);
    expect(pacer.rate).toBeGreaterThan(0.7 * uplink.bytesPerSecond);
    upload.stop();
  });

  it('believes a longer way after a minute', async () => {
    const uplink = new Uplink(10, 20, 10);
    const pacer = new Pacer({ clock: uplink.clock, onRtt: uplink.onRtt });
    const upload = uplink.upload(pacer);
    await uplink.clock.advance(10_000);
    uplink.reroute(90);
    await uplink.clock.advance(5_000);
    expect(pacer.rate).toBeLessThan(0.5 * uplink.bytesPerSecond);
    await uplink.clock.advance(70_000);
    expect(pacer.rate).toBeGreaterThan(0.85 * uplink.bytesPerSecond);
    upload.stop();
  });

  it('goes on at a cautious fixed rate while no samples come', async () => {
    const uplink = new Uplink(20, 10, 10);
    const pacer = new Pacer({ clock: uplink.clock, onRtt: uplink.onRtt, fallbackBytesPerSecond: 100_000 });
    const upload = uplink.upload(pacer);
    await uplink.clock.advance(10_000);
    uplink.tunnelUp = false;
    await uplink.clock.advance(5_000);
    const before = upload.bytes;
    await uplink.clock.advance(10_000);
    expect((upload.bytes - before) / 10).toBeGreaterThan(90_000);
    expect((upload.bytes - before) / 10).toBeLessThan(110_000);
    uplink.tunnelUp = true;
    await uplink.clock.advance(8_000);
    expect(pacer.rate).toBeGreaterThan(0.85 * uplink.bytesPerSecond);
    upload.stop();
  });

  it('does not grow while it is not used, and asks for samples only while uploading', async () => {
    const uplink = new Uplink(20, 10, 10);
    const pacer = new Pacer({ clock: uplink.clock, onRtt: uplink.onRtt });
    expect(uplink.listeners).toBe(0);
    const end = pacer.begin();
    for (let i = 0; i < 200; i++) {
      void pacer.take(2_000);
      await uplink.clock.advance(100);
    }
    expect(uplink.listeners).toBe(1);
    expect(pacer.rate).toBeLessThan(500_000);
    end();
    end();
    expect(uplink.listeners).toBe(0);
  });

  it('serves the most urgent first and still lets the others crawl', async () => {
    const uplink = new Uplink(10, 20, 10);
    const pacer = new Pacer({ clock: uplink.clock, onRtt: uplink.onRtt });
    const backlog = uplink.upload(pacer, 1_000_000);
    await uplink.clock.advance(5_000);
    const live = uplink.upload(pacer, 1);
    const [before, mark] = [backlog.bytes, uplink.clock.mono()];
    await uplink.clock.advance(5_000);
    expect(uplink.clock.mono() - mark).toBe(5_000);
    expect(live.bytes).toBeGreaterThan(4 * (backlog.bytes - before));
    expect(backlog.bytes - before).toBeGreaterThan(100_000);
    live.stop();
    backlog.stop();
  });

  it('lets go of a waiter that gives up', async () => {
    const uplink = new Uplink(10, 20, 10);
    const pacer = new Pacer({ clock: uplink.clock, onRtt: uplink.onRtt, startBytesPerSecond: 1000 });
    const end = pacer.begin();
    const abort = new AbortController();
    void pacer.take(100_000);
    const given = pacer.take(100_000, 0, abort.signal);
    abort.abort();
    await given;
    end();
  });
});
