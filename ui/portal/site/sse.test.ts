import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StreamMessage } from '../../../protocol/wire/api.ts';
import { type LiveState, LiveStream, sseParser } from './sse.ts';

const parse = (chunks: string[]) => {
  const found: [string, string][] = [];
  const feed = sseParser((event, data) => found.push([event, data]));
  for (const chunk of chunks) feed(chunk);
  return found;
};

describe('event streams', () => {
  const text =
    ': heartbeat\n\nevent: hello\ndata: {}\n\nid: 4\ndata: a\ndata:b\r\n\r\nevent: no data\n\nevent: end\rdata: c\r\rdata: cut of';

  it('reads names and data, and leaves out comments and what has no data', () => {
    expect(parse([text])).toEqual([
      ['hello', '{}'],
      ['message', 'a\nb'],
      ['end', 'c'],
    ]);
  });

  it('reads the same however the network cuts it', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), text.length];
        const chunks = at.slice(1).map((end, i) => text.slice(at[i], end));
        expect(parse(chunks)).toEqual(parse([text]));
      }),
    );
  });
});

describe('live connection', () => {
  const open: ServerResponse[] = [];
  let status = 200;
  const server = createServer((_, response) => {
    if (status !== 200) {
      response.writeHead(status, { 'content-type': 'application/problem+json' });
      return response.end('{"code":"not-signed-in"}');
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('event: hello\ndata: {}\n\n');
    open.push(response);
  });
  let stream: LiveStream;
  let states: LiveState[];
  let messages: StreamMessage[];
  const signedOut = vi.fn();

  beforeEach(async () => {
    vi.stubGlobal('document', new EventTarget());
    vi.stubGlobal('addEventListener', () => {});
    states = [];
    messages = [];
    status = 200;
    signedOut.mockClear();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stream = new LiveStream({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/stream`,
      onMessage: (message) => messages.push(message),
      onState: (state) => states.push(state),
      onSignedOut: signedOut,
    });
  });
  afterEach(async () => {
    stream.stop();
    for (const response of open.splice(0)) response.destroy();
    await new Promise((resolve) => server.close(resolve));
    vi.unstubAllGlobals();
  });

  it('says that it is lost and comes back by itself, with a greeting each time', async () => {
    stream.start();
    await vi.waitFor(() => expect(states).toEqual(['connecting', 'live']));
    open[0]!.destroy();
    await vi.waitFor(() => expect(states).toEqual(['connecting', 'live', 'lost', 'live']), 5_000);
    expect(messages.map((message) => message.event)).toEqual(['hello', 'hello']);
  });

  it('gives up only when the session has ended', async () => {
    status = 401;
    stream.start();
    await vi.waitFor(() => expect(signedOut).toHaveBeenCalledOnce());
    expect(states).toEqual(['connecting', 'lost']);
  });

  it('stays quiet once stopped', async () => {
    stream.start();
    await vi.waitFor(() => expect(states).toContain('live'));
    stream.stop();
    open[0]!.write('event: event\ndata: {}\n\n');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(messages).toHaveLength(1);
    expect(states).toEqual(['connecting', 'live']);
  });
});
