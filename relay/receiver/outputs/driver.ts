import type { OutputState } from '../../../protocol/wire/receiver.ts';
import type { Outgoing } from '../message.ts';

/** How one try went. */
export type Outcome =
  | { is: 'acknowledged' }
  /** The other side is alive and does not take this one. After {@link MAX_REFUSALS} it is set aside, so that others pass. */
  | { is: 'refused'; reason: string }
  /** It cannot be said to the other side at all, whatever is tried: set aside at once. */
  | { is: 'unfit'; reason: string }
  /** Nothing gets through; everything waits. `afterMs`: not before, when the other side said so. */
  | { is: 'down'; reason: string; afterMs?: number };

/** Refusals of one message, seconds apart and growing to a minute: about five minutes. */
export const MAX_REFUSALS = 10;

export interface DriverState {
  state: OutputState;
  reason: string | null;
  listeningPort: number | null;
  unmapped: string[];
}

/** One way to hand messages on. It keeps connections, if it has any; what waits, and in which order, is not its business. */
export interface OutputDriver {
  /** Accounts that are served at once; within an account the order is kept. 1: everything in one order. */
  readonly lanes: number;
  start(changed: () => void): Promise<void>;
  stop(): Promise<void>;
  /** False: nothing need be tried before `changed` is called. */
  usable(): boolean;
  deliver(out: Outgoing, signal: AbortSignal): Promise<Outcome>;
  state(): DriverState;
}
