import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Programs that are started hundreds of times are compiled once. */
export const COMPILED = join(tmpdir(), `gatepost-compiled-${process.getuid?.() ?? 0}`);

/** Waits for what `read` gives; fails loudly after `ms`. */
export async function until<T>(what: string, read: () => T | Promise<T>, ms: number): Promise<NonNullable<T>> {
  const end = performance.now() + ms;
  for (;;) {
    const found = await read();
    if (found) return found as NonNullable<T>;
    if (performance.now() > end) throw new Error(`waited ${ms / 1000} s for ${what}`);
    await sleep(50);
  }
}

/** The same without failing: whether it came true. */
export async function soon(read: () => unknown, ms: number): Promise<boolean> {
  return until('', read, ms).then(
    () => true,
    () => false,
  );
}
