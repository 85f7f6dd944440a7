import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../../../protocol/clock.ts';
import { type ProblemCode, problem } from '../../../protocol/wire/problem.ts';
import { type FragmentInfo, UploadRequest } from '../../../protocol/wire/uploads.ts';
import { type RelayAuth, RelayAuthError } from '../../uplink/relay-auth.ts';
import { Pacer } from '../pacer.ts';
import type { NewFragment } from '../store.ts';

/** What the wire says of the relay's upload routes, with faults to order. */
export class FakeRelay {
  stored = new Map<string, string>();
  order: string[] = [];
  asked: number[] = [];
  /** Answer of a PUT instead of taking it. */
  fault: (key: string) => 'cut' | ProblemCode | 'portal' | null = () => null;
  grantFault: (fragments: FragmentInfo[]) => ProblemCode | null = () => null;
  reachable = true;
  cuts = 0;
  /** Fragments go to an object store at this address instead; the relay is told afterwards. */
  objectStore: string | null = null;
  /** What was told of, and whether the object store has it. */
  confirmed: string[] = [];
  hasObject: (key: string) => boolean = () => true;
  server = http.createServer((req, res) => void this.#serve(req, res).catch(() => {}));

  async listen(): Promise<string> {
    await new Promise<void>((r) => this.server.listen(0, '127.0.0.1', r));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** The proof of a box that this relay believes. */
  auth(url: string): RelayAuth {
    const auth = {
      relayUrl: new URL(url),
      header: async () => {
        if (!this.reachable) throw new RelayAuthError('unreachable', 'the relay does not answer');
        return 'Gatepost x';
      },
      forget() {},
    };
    return auth as never;
  }

  async #serve(req: http.IncomingMessage, res: http.ServerResponse): Promise<void> {
    const refuse = (code: ProblemCode) => res.writeHead(problem(code).status).end(JSON.stringify(problem(code)));
    const key = decodeURIComponent(req.url!.split('/').at(-1)!);
    const fault = req.method === 'PUT' ? this.fault(key) : null;
    if (fault === 'cut') {
      this.cuts++;
      req.once('data', () => req.socket.destroy());
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (req.url === '/box/v1/uploads/stored') {
      const { fragments } = UploadRequest.parse(JSON.parse(body.toString()));
      const told = fragments.map(({ clipId, n, sha256 }) => {
        const stored = this.hasObject(`${clipId} ${n}`);
        this.confirmed.push(`${clipId} ${n}`);
        if (stored) this.stored.set(`${clipId} ${n}`, sha256);
        return { clipId, n, stored };
      });
      return void res.end(JSON.stringify({ fragments: told }));
    }
    if (req.method === 'POST') {
      const { fragments } = UploadRequest.parse(JSON.parse(body.toString()));
      this.asked.push(fragments.length);
      const refusal = this.grantFault(fragments);
      if (refusal) return void refuse(refusal);
      return void res.end(JSON.stringify({ grants: fragments.map((f) => this.#grant(f)) }));
    }
    if (fault === 'portal') return void res.writeHead(404).end('<h1>Welcome to our hotel</h1>');
    if (fault) return void refuse(fault);
    const hash = createHash('sha256').update(body).digest('hex');
    if (hash !== req.headers['x-gatepost-sha256']) return void refuse('invalid-request');
    this.stored.set(key, hash);
    this.order.push(key);
    res.end(JSON.stringify({ size: body.length }));
  }

  #grant({ clipId, n, sha256 }: FragmentInfo): object {
    const stored = this.stored.get(`${clipId} ${n}`) === sha256;
    const name = encodeURIComponent(`${clipId} ${n}`);
    if (stored || !this.objectStore) {
      return { clipId, n, stored, url: stored ? null : `/put/${name}`, expiresInMs: 60_000 };
    }
    const headers = { 'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64'), 'x-amz-test': 'signed' };
    const url = `${this.objectStore}/bucket/${name}?X-Amz-Signature=abc`;
    return { clipId, n, stored: false, url, headers, confirm: true, expiresInMs: 60_000 };
  }
}

/** A pacer that holds nothing up. */
export function fastPacer(clock: Clock): Pacer {
  return new Pacer({
    clock,
    onRtt: () => () => {},
    startBytesPerSecond: 20e6,
    fallbackBytesPerSecond: 20e6,
  });
}

/** A part of a clip as the recorder hands it over. */
export function newFragment(dir: string, clipId: string, n: number, size: number, more = {}): NewFragment {
  const data = randomBytes(size);
  const path = join(dir, `${clipId}-${n}.m4s`);
  writeFileSync(path, data);
  const sha256 = createHash('sha256').update(data).digest('hex');
  return { clipId, n, size, sha256, durationMs: 1000, keyFrame: true, path, ...more };
}
