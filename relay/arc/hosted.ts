import type { Dc09Peer } from '../../protocol/dc09/listener.ts';

/** The relay's own line, as its own receivers see it: not a sign of life of the account's box. */
export const OWN_PEER = { address: 'relay', port: 0, transport: 'tcp' } as const satisfies Dc09Peer;

/** A frame for a receiver of kind `hosted`, which is the relay itself: its reply; null: none, or it is not running. */
export type AnswerHosted = (receiverId: string, frame: Buffer, peer: Dc09Peer) => Promise<Buffer | null>;
