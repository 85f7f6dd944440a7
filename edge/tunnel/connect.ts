import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Clock } from '../../protocol/clock.ts';
import { REFUSAL_HEADER } from '../../protocol/wire/remote-config.ts';
import { tlsOptions } from '../https/handshake.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const LAST_WORDS_MS = 50;

export type ConnectHeaders = Pick<IncomingHttpHeaders, string>;
/** Where a CONNECT goes. */
export interface Target {
  /** An address, never a name. */
  host: string;
  port: number;
  /** Of the answer. */
  headers?: Record<string, string>;
  /** Given: TLS to the target; asked whether its certificate (SHA-256) is the right one. */
  trusts?: (fingerprint: string) => boolean;
  /** It is known to take TLS 1.2 or newer: nothing older is offered. */
  modern?: boolean;
  /** Told when it stands, with how to cut it; tells back how to report its end. */
  opened?: (cut: () => void) => (bytesIn: number, bytesOut: number) => void;
}
export interface Refused {
  refused: number;
  headers?: Record<string, string>;
}
export type ConnectPolicy = (
  authority: string | undefined,
  headers: ConnectHeaders,
) => Target | Refused | Promise<Target | Refused>;

/** CONNECT to addresses, `host:port` or `[v6]:port`, that `permits` allows. */
export function addressPolicy(permits: (host: string, port: number) => boolean): ConnectPolicy {
  return (authority) => {
    const m = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([0-9.]{7,15})):(\d{1,5})$/.exec(authority ?? '');
    const [host, port] = [m?.[1] ?? m?.[2] ?? '', Number(m?.[3])];
    if (isIP(host) === 0 || port < 1 || port > 65_535) return { refused: 400 };
    return permits(host, port) ? { host, port } : { refused: 403 };
  };
}

/**
 * CONNECT (RFC 9113 §8.5): a TCP connection to a device that the policy allows. Answers 200, 400 (no authority of the policy's
 * kind), 403 (policy), 495 (another certificate), 502 (the device refused) or 504 (no answer within 10 s). A cut stream resets
 * the device's connection and the other way round, so that half a transfer never looks like a whole one.
 */
export async function serveConnect(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  policy: ConnectPolicy,
  clock: Clock,
): Promise<void> {
  const target = await policy(headers[':authority'], headers);
  if (stream.destroyed) return;
  if ('refused' in target) refuse(stream, target.refused, target.headers);
  else dial(stream, target, clock);
}

function dial(stream: ServerHttp2Stream, target: Target, clock: Clock): void {
  const { host, port, trusts } = target;
  const tcp = connect({ host, port, allowHalfOpen: !trusts, noDelay: true });
  const socket: Socket = trusts ? overTls(tcp, !target.modern) : tcp;
  let status = 502;
  let cause: Record<string, string> = {};
  let cancelTimer = clock.after(CONNECT_TIMEOUT_MS, () => {
    status = 504;
    socket.destroy(new Error('no answer'));
  });
  let connected = false;
  let closed: (bytesIn: number, bytesOut: number) => void = () => {};
  const stands = () => {
    cancelTimer();
    if (stream.destroyed) return;
    connected = true;
    closed = target.opened?.(() => stream.destroy(new Error('not allowed any more'))) ?? closed;
    stream.respond({ ':status': 200, ...target.headers });
    // A stream that was cut emits `end` as well.
    stream.on('end', () => {
      if (stream.rstCode === 0) socket.end();
    });
    stream.pipe(socket, { end: false }).pipe(stream);
  };
  if (!trusts) socket.once('connect', stands);
  else
    socket.once('secureConnect', () => {
      if (trusts((socket as TLSSocket).getPeerCertificate().fingerprint256 ?? '')) return stands();
      status = 495;
      cause = { [REFUSAL_HEADER]: 'certificate' };
      socket.destroy(new Error('another certificate'));
    });
  const fail = (error: Error) => {
    cancelTimer();
    // Never close(code): it would end the stream first. A little later, because what the device said last is on its way:
    // one that does not want an upload says so and resets.
    if (connected) cancelTimer = clock.after(LAST_WORDS_MS, () => stream.destroy(error));
    else refuse(stream, status, cause);
  };
  socket.on('error', fail);
  // TLS hears of what happens to its TCP connection only as long as it reads.
  if (trusts) tcp.on('error', fail);
  socket.once('close', () => closed(socket.bytesRead, socket.bytesWritten));
  stream.once('close', () => {
    cancelTimer();
    if (!stream.aborted && stream.rstCode === 0 && stream.readableEnded) return;
    reset(tcp);
    socket.destroy();
  });
}

/**
 * TLS as devices of fifteen years speak it. Nobody has signed their certificates: they are compared with the one seen
 * before (edge/remote-config/policy.ts) before anything is sent.
 */
const overTls = (socket: Socket, old: boolean): TLSSocket => connectTls({ socket, ...tlsOptions(old) });

function refuse(stream: ServerHttp2Stream, status: number, headers: Record<string, string> = {}): void {
  if (!stream.destroyed && !stream.headersSent) stream.respond({ ':status': status, ...headers }, { endStream: true });
}

function reset(socket: Socket): void {
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}
