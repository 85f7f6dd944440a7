import { afterEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { fastPacer } from './testing/fake-relay.ts';
import { Transfer } from './transfer.ts';

afterEach(() => void vi.unstubAllGlobals());

/** What comes of grants with that address and those headers. */
async function granted(relayUrl: string, url: string | null, headers: Record<string, string> = {}) {
  const grant = {
    clipId: '01900000-0000-7000-8000-000000000001',
    n: 0,
    stored: false,
    expiresInMs: 1000,
    url,
    headers,
  };
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify({ grants: [grant] })));
  const auth = { relayUrl: new URL(relayUrl), header: async () => 'Gatepost x', forget: () => {} };
  const transfer = new Transfer({ auth: auth as never, pacer: fastPacer(new ManualClock()) });
  const outcome = await transfer.grants([], new AbortController().signal);
  transfer.close();
  return outcome.kind;
}

describe('what the relay grants', () => {
  it.each([
    ['https://relay.example', '/box/v1/uploads/1', {}],
    ['https://relay.example', null, {}],
    ['https://relay.example', 'https://s3.example/b/1', { 'x-amz-checksum-sha256': 'a', 'Content-Type': 'video/mp4' }],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:9000/b/1', {}],
  ])('is used: over %s the address %s with %o', async (relay, url, headers) => {
    expect(await granted(relay, url, headers)).toBe('granted');
  });

  it.each([
    ['https://relay.example', 'http://s3.example/b/1', {}],
    ['https://relay.example', 'http://192.168.1.64/ISAPI/System/reboot', {}],
    ['https://relay.example', 'file:///etc/passwd', {}],
    ['http://127.0.0.1:8080', 'ftp://127.0.0.1/b/1', {}],
    ['https://relay.example', 'https://[s3/b/1', {}],
    ['https://relay.example', 'https://s3.example/b/1', { authorization: 'Basic YTpi' }],
    ['https://relay.example', '/box/v1/uploads/1', { host: 'other.example' }],
  ])('is not used: over %s the address %s with %o', async (relay, url, headers) => {
    expect(await granted(relay, url, headers)).toBe('waiting');
  });
});
