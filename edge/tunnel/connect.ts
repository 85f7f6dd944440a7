import type { ServerHttp2Stream } from 'node:http2';
import { connect, isIPv6, type Socket } from 'node:net';
import type { Clock } from '../../protocol/clock.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** `host:port` or `[v6]:port`; null for anything else. */
function parseAuthority(authority: string | undefined): { host: string; port: number } | null {
  const m = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/.exec(authority ?? '');
  if (!m || (m[1] !== undefined && !isIPv6(m[1]))) return null;
  const port = Number(m[3]);
  return port >= 1 && port <= 65_535 ? { host: m[1] ?? m[2]!, port } : null;
}

/**
 * CONNECT (RFC 9113 §8.5): a TCP connection to a device that the policy allows. Answers 200, 400 (no `host:port`), 403 (policy),
 * 502 (the device refused) or 504 (no answer within 10 s). A cut stream resets the device's connection and the other way
 * round, so that half a transfer never looks like a whole one.
 */
export function serveConnect(
  stream: ServerHttp2Stream,
  authority: string | undefined,
  policy: (host: string, port: number) => boolean,
  clock: Clock,
): void {
  const target = parseAuthority(authority);
  if (!target || !policy(target.host, target.port)) {
    refuse(stream, target ? 403 : 400);
    return;
  }
  const socket = connect({ ...target, allowHalfOpen: true, noDelay: true });
  let status = 502;
  const cancelTimer = clock.after(CONNECT_TIMEOUT_MS, () => {
    status = 504;
    socket.destroy(new Error('no answer'));
  });
  let connected = false;
  socket.once('connect', () => {
    cancelTimer();
    connected = true;
    if (stream.destroyed) return;
    stream.respond({ ':status': 200 });
    // A stream that was cut emits `end` as well.
    stream.on('end', () => {
      if (stream.rstCode === 0) socket.end();
    });
    stream.pipe(socket, { end: false }).pipe(stream);
  });
  socket.on('error', (error) => {
    cancelTimer();
    // Never close(code): it would end the stream first.
    if (connected) stream.destroy(error);
    else refuse(stream, status);
  });
  stream.once('close', () => {
    cancelTimer();
    if (stream.aborted || stream.rstCode !== 0 || !stream.readableEnded) reset(socket);
  });
}

function refuse(stream: ServerHttp2Stream, status: number): void {
  if (!stream.destroyed && !stream.headersSent) stream.respond({ ':status': status }, { endStream: true });
}

function reset(socket: Socket): void {
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}
