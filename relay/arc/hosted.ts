import type { Dc09Peer } from '../../protocol/dc09/listener.ts';

/** A frame for a receiver of kind `hosted`, which is the relay itself: its reply; null: none, or it is not running. */
export type AnswerHosted = (receiverId: string, frame: Buffer, peer: Dc09Peer) => Promise<Buffer | null>;
