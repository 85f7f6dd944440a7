import type { ChannelName } from '../../protocol/wire/notify.ts';
import type { OutboxRow } from './schema.ts';

/** One message on its way out. */
export type Outgoing = Pick<
  OutboxRow,
  'id' | 'address' | 'name' | 'userId' | 'locale' | 'code' | 'link' | 'createdMs'
> & {
  values: Record<string, string>;
};

/**
 * What became of a try:
 * - `sent`: the next one took it over;
 * - `refused`: it never will be taken; given up at once;
 * - `gone`: nobody is there any more, for this and every other message to them;
 * - `later`: this recipient does not take it now;
 * - `down`: nothing goes out on this way now.
 */
export type Outcome =
  | { kind: 'sent' }
  | { kind: 'gone' }
  | { kind: 'refused'; reason: string }
  | { kind: 'later'; reason: string; afterMs?: number }
  | { kind: 'down'; reason: string };

/** A way to reach people outside of the portal. */
export interface Channel {
  readonly name: ChannelName;
  /** What is missing until it can be used; null: nothing. */
  readonly missing: string | null;
  /** One message once. `signal` aborts when the relay stops. */
  deliver(message: Outgoing, signal: AbortSignal): Promise<Outcome>;
}
