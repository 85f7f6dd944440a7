import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { Clock } from '../../protocol/clock.ts';
import { Dc09Stream } from '../../protocol/codec/dc09-stream.ts';
import type { ArcOutcome } from '../../protocol/wire/arc-path.ts';

export type Sent = { reply: Buffer } | { code: FailureCode; sent: boolean; text: string };
type FailureCode = Extract<ArcOutcome, { result: 'failed' }>['code'];

interface Target {
  address: string;
  port: number;
  transport: 'tcp' | 'udp';
}

/**
 * One frame to one receiver, one reply back, within `timeoutMs` from beginning to end; never again by itself. Each frame
 * has a connection of its own: receivers differ in whether they take a second one. `isReply` picks out the answer.
 */
export function sendOnce(
  target: Target,
  frame: Buffer,
  isReply: (frame: Buffer) => boolean,
  timeoutMs: number,
  clock: Clock,
): Promise<Sent> {
  return new Promise((resolve) => {
    let sent = false;
    const done = (result: Sent): void => {
      cancel();
      socket.close();
      resolve(result);
    };
    const cancel = clock.after(timeoutMs, () => {
      const text = `${sent ? 'no reply' : 'no connection'} in ${timeoutMs} ms`;
      done({ code: 'timeout', sent, text });
    });
    const socket = (target.transport === 'udp' ? openUdp : openTcp)(target, {
      opened: (write) => {
        sent = true;
        write(frame);
      },
      received: (reply) => {
        if (isReply(reply)) done({ reply });
      },
      failed: (code, text) => done({ code, sent: sent && !(target.transport === 'udp' && code === 'refused'), text }),
    });
  });
}

interface Events {
  opened(write: (frame: Buffer) => void): void;
  received(frame: Buffer): void;
  failed(code: FailureCode, text: string): void;
}

function openTcp({ address, port }: Target, events: Events): { close(): void } {
  const socket = connect({ host: address, port, noDelay: true });
  const stream = new Dc09Stream();
  socket.on('connect', () => events.opened((frame) => socket.write(frame)));
  socket.on('data', (chunk) => {
    for (const frame of stream.push(chunk)) events.received(frame);
  });
  socket.on('error', (error) => events.failed(codeOf(error), codeText(error)));
  socket.on('close', () => events.failed('reset', 'the receiver closed the connection'));
  return { close: () => socket.destroy() };
}

function openUdp({ address, port }: Target, events: Events): { close(): void } {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (frame) => events.received(frame));
  socket.on('error', (error) => events.failed(codeOf(error), codeText(error)));
  socket.connect(port, address, (error?: Error) => {
    if (error) events.failed(codeOf(error), codeText(error));
    else events.opened((frame) => socket.send(frame));
  });
  let closed = false;
  return {
    close: () => {
      if (closed) return;
      closed = true;
      socket.removeAllListeners('message');
      socket.close();
    },
  };
}

const codeText = (error: Error): string => (error as NodeJS.ErrnoException).code ?? error.message;

function codeOf(error: Error): FailureCode {
  const codes: Record<string, FailureCode> = {
    ECONNREFUSED: 'refused',
    ECONNRESET: 'reset',
    EPIPE: 'reset',
    ETIMEDOUT: 'timeout',
  };
  return codes[codeText(error)] ?? 'unreachable';
}
