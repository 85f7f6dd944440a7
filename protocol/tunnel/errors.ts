/**
 * Why a tunnel, a channel or a request through it failed. The code is stable; the message is for people.
 *
 *   protocol-error     the other side broke the rules of protocol/tunnel; the connection is closed
 *   dead-peer          nothing came back for 11 s; the connection is given up
 *   connection-lost    the connection ended without a goodbye
 *   refused            the relay's answer to the upgrade was not 101, or the box's CONNECT policy said no
 *   channel-reset      the other side cut this channel or stream; what came before may be incomplete
 *   taken-over         a newer connection of the same box has replaced this one
 *   restart            the relay restarts and is back soon
 *   stopped            this side, or the other, was stopped on purpose
 *   disconnected       the relay ended the tunnel on purpose (revoked, duplicate identity); the message says why
 *   box-unreachable    there is no tunnel to this box, or it broke before the answer was complete
 *   timeout            no answer in time
 *   busy               too many requests to this box at once
 *   aborted            the caller gave up
 *   target-unreachable the box could not connect to the device
 */
export const TUNNEL_ERROR_CODES = [
  'protocol-error',
  'dead-peer',
  'connection-lost',
  'refused',
  'channel-reset',
  'taken-over',
  'restart',
  'stopped',
  'disconnected',
  'box-unreachable',
  'timeout',
  'busy',
  'aborted',
  'target-unreachable',
] as const;
export type TunnelErrorCode = (typeof TUNNEL_ERROR_CODES)[number];

export class TunnelError extends Error {
  override readonly name = 'TunnelError';
  readonly code: TunnelErrorCode;
  /** Of `refused`: what the box gave as the reason. */
  readonly reason: string | undefined;

  constructor(code: TunnelErrorCode, message: string, options?: { cause?: unknown; reason?: string }) {
    super(message, options);
    this.code = code;
    this.reason = options?.reason;
  }
}
