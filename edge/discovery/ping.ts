import { connect } from 'node:net';
import type { Clock } from '../../protocol/clock.ts';

/**
 * Milliseconds until `host` answers on that TCP port; a refusal is an answer too. Null when it does not answer in time.
 * Needs no privileges, and measures the way that configuration and video take.
 */
export function tcpPing(host: string, port: number, timeoutMs: number, clock: Clock): Promise<number | null> {
  return new Promise((resolve) => {
    const begun = clock.mono();
    const socket = connect({ host, port });
    const done = (answered: boolean) => {
      cancel();
      socket.destroy();
      resolve(answered ? Math.max(0, clock.mono() - begun) : null);
    };
    const cancel = clock.after(timeoutMs, () => done(false));
    socket.on('connect', () => done(true));
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code === 'ECONNREFUSED'));
  });
}

/** DISC-05…07: below 50 ms green, to 200 ms yellow, above or without an answer red. */
export function pingLevel(ms: number | null): 'green' | 'yellow' | 'red' {
  if (ms === null || ms > 200) return 'red';
  return ms < 50 ? 'green' : 'yellow';
}
