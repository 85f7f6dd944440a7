import type { Channel } from './channel.ts';

/** Shares of the classes that are not urgent, when both have something to send. */
const WEIGHT = { interactive: 4, bulk: 1 } as const;

/**
 * Whose turn it is: urgent strictly first, then by weighted virtual time, so that a channel which was silent goes next
 * but has not saved up a claim.
 */
export class Scheduler {
  #virtualTime = 0;

  /** null: nobody has something to send that the other side would take. */
  next(channels: Iterable<Channel>): Channel | null {
    let best: Channel | null = null;
    for (const channel of channels) {
      if (channel.queued === 0 || channel.credit === 0) continue;
      if (channel.trafficClass === 'urgent') return channel;
      if (channel.turn < this.#virtualTime) channel.turn = this.#virtualTime;
      if (best === null || channel.turn < best.turn) best = channel;
    }
    return best;
  }

  charge(channel: Channel, bytes: number): void {
    if (channel.trafficClass === 'urgent') return;
    this.#virtualTime = channel.turn;
    channel.turn += bytes / WEIGHT[channel.trafficClass];
  }
}
