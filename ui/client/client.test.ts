import { afterEach, describe, expect, it, vi } from 'vitest';
import { address, createClient } from './client.ts';

const asked: { url: string; method: string | undefined; body: unknown; headers: Record<string, string> }[] = [];
function answering(status: number, body?: unknown) {
  asked.length = 0;
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const headers = init.headers as Record<string, string>;
    asked.push({ url, method: init.method, body: init.body && JSON.parse(String(init.body)), headers });
    return new Response(body === undefined ? null : JSON.stringify(body), { status });
  });
}
afterEach(() => vi.unstubAllGlobals());

const signedOut = vi.fn();
const api = createClient(signedOut);
const siteId = '0199f2b4-0000-7000-8000-000000000001';

describe('the portal API’s client', () => {
  it('fills in path and query', async () => {
    answering(200, { items: [], nextCursor: null });
    const page = await api.get('/sites/{siteId}/events', {
      params: { siteId: 'a/b' },
      query: { limit: 5, cursor: undefined },
    });
    expect(page.items).toEqual([]);
    expect(asked[0]).toMatchObject({ url: '/api/v1/sites/a%2Fb/events?limit=5', method: 'GET' });
  });

  it('sends a body, and a key with every POST', async () => {
    answering(201, { serial: 'AAAAAAAA9' });
    await api.post('/sites/{siteId}/boxes', { serial: 'AAAAAAAA9', code: 'AAAAAAAAAA' }, { params: { siteId } });
    expect(asked[0]).toMatchObject({ method: 'POST', body: { serial: 'AAAAAAAA9', code: 'AAAAAAAAAA' } });
    expect(asked[0]?.headers['idempotency-key']).toMatch(/^[\w-]{20,}$/);
  });

  it('takes an empty answer', async () => {
    answering(204);
    expect(await api.delete('/arc/{accountId}', { params: { accountId: 'x' } })).toBeUndefined();
  });

  it('tells problems, and who has to sign in', async () => {
    answering(401, { code: 'not-signed-in', detail: 'gone' });
    await expect(api.get('/auth/me')).rejects.toMatchObject({ code: 'not-signed-in', status: 401, detail: 'gone' });
    expect(signedOut).toHaveBeenCalledOnce();
  });

  it('asks nobody when a parameter is missing', () => {
    expect(() => address('/clips/{clipId}/video', { params: { clipId: '' } })).toThrow('clipId is missing');
    expect(address('/clips/{clipId}/video', { params: { clipId: 'x' }, query: { download: '1' } })).toBe(
      '/api/v1/clips/x/video?download=1',
    );
  });

  it('knows the types of the relay’s document', () => {
    const wrong = () => [
      // @ts-expect-error no such parameter
      api.get('/sites/{siteId}', { params: { id: siteId } }),
      // @ts-expect-error no such query
      api.get('/sites/{siteId}/events', { params: { siteId }, query: { limt: 5 } }),
      // @ts-expect-error a number is no serial
      api.post('/sites/{siteId}/boxes', { serial: 1 }, { params: { siteId } }),
      // @ts-expect-error not in the answer
      api.get('/sites').then((answer) => answer.things),
      // @ts-expect-error without its parameters
      address('/clips/{clipId}/video'),
    ];
    expect(wrong).toBeTypeOf('function');
  });
});
