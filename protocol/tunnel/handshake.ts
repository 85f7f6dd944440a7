import { createHash, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type Framing, rawFraming } from './framing.ts';
import { WebSocketFraming } from './websocket.ts';

/*
 * How the connection turns from HTTP/1.1 into the transport. The box sends one of
 *
 *   GET /tunnel   Upgrade: websocket          Sec-WebSocket-Protocol: gatepost-tunnel.1 (RFC 6455; passes proxies)
 *   GET /tunnel   Upgrade: gatepost-tunnel.1  (no framing at all; where nothing stands between)
 *
 * with its Authorization, and the relay answers 101, or an error as problem+json. The version is in the name.
 */

export const PROTOCOL = 'gatepost-tunnel.1';
export type TunnelMode = Framing['mode'];

const acceptOf = (key: string) =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** Box: the headers to ask with, and the check of a 101 that came back. `accepted` is null when it is not an answer to this. */
export function offer(mode: TunnelMode): {
  headers: Record<string, string>;
  accepted(headers: IncomingHttpHeaders): Framing | null;
} {
  if (mode === 'raw') {
    return {
      headers: { Connection: 'Upgrade', Upgrade: PROTOCOL },
      accepted: (h) => (h.upgrade?.toLowerCase() === PROTOCOL ? rawFraming : null),
    };
  }
  const key = randomBytes(16).toString('base64');
  return {
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': key,
      'Sec-WebSocket-Protocol': PROTOCOL,
    },
    accepted: (h) =>
      h.upgrade?.toLowerCase() === 'websocket' &&
      h['sec-websocket-accept'] === acceptOf(key) &&
      h['sec-websocket-protocol'] === PROTOCOL
        ? new WebSocketFraming('client')
        : null,
  };
}

/** Relay: the answer to an upgrade request and the framing to speak, or null when it is neither of the two. */
export function answer(headers: IncomingHttpHeaders): { head: string; framing: Framing } | null {
  const upgrade = headers.upgrade?.toLowerCase();
  if (upgrade === PROTOCOL) return { head: switching(PROTOCOL, []), framing: rawFraming };
  const key = headers['sec-websocket-key'];
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((p) => p.trim());
  if (upgrade !== 'websocket' || headers['sec-websocket-version'] !== '13' || !offered.includes(PROTOCOL)) return null;
  if (typeof key !== 'string' || !/^[A-Za-z0-9+/]{22}==$/.test(key)) return null;
  const more = [`Sec-WebSocket-Accept: ${acceptOf(key)}`, `Sec-WebSocket-Protocol: ${PROTOCOL}`];
  return { head: switching('websocket', more), framing: new WebSocketFraming('server') };
}

function switching(upgrade: string, more: string[]): string {
  return ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', `Upgrade: ${upgrade}`, ...more, '', ''].join(
    '\r\n',
  );
}
