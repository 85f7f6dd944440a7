// Three ways from the relay to the box, with one face.
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { TunnelHub } from '../../relay/tunnel/hub.ts';
import { bytesReadable } from './payload.ts';

export type Class = 'urgent' | 'interactive' | 'bulk';
export interface Way {
  get(path: string, c: Class): Promise<Readable>;
  post(path: string, bytes: number): Promise<Readable>;
  /** A 500-byte GET over a connection of its own. */
  fresh(): Promise<void>;
  close(): void;
}

export function tunnelWay(hub: TunnelHub, boxHost: string, boxPort: number): Way {
  return {
    get: async (path, c) => (await hub.request('BOX0', { method: 'GET', path, class: c })).body,
    post: async (path, bytes) =>
      (
        await hub.request('BOX0', {
          method: 'POST',
          path,
          body: bytesReadable(bytes),
          class: 'bulk',
          timeoutMs: 120_000,
        })
      ).body,
    fresh: async () => {
      const stream = await hub.connect('BOX0', boxHost, boxPort);
      await drain(
        await answered(httpRequest({ path: '/small', createConnection: () => stream, agent: undefined }).end()),
      );
      stream.destroy();
    },
    close: () => {},
  };
}

/** Plain HTTP to an address: the box itself, or the near end of `ssh -R`. */
export function httpWay(host: string, port: number): Way {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  return {
    get: (path) => answered(httpRequest({ host, port, path, agent }).end()),
    post: (path, bytes) => {
      const request = httpRequest({ host, port, path, agent, method: 'POST' });
      bytesReadable(bytes).pipe(request);
      return answered(request);
    },
    fresh: async () => drain(await answered(httpRequest({ host, port, path: '/small', agent: false }).end())),
    close: () => agent.destroy(),
  };
}

function answered(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      response.on('error', () => {});
      resolve(response);
    });
  });
}

/** Reads to the end and returns the bytes. */
export function drain(body: Readable, count: (bytes: number) => void = () => {}): Promise<void> {
  return new Promise((resolve, reject) => {
    body.on('data', (chunk: Buffer) => count(chunk.length));
    body.on('end', resolve);
    body.on('error', reject);
    body.on('close', () => reject(new Error('closed')));
  });
}
