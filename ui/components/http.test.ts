import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { askEarly, client, forgetEarly } from './http.ts';

let asked: string[];
let answer: () => Response;
const api = client('/api', () => {});
beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  let n = 0;
  answer = () => Response.json({ n: ++n });
  vi.stubGlobal('fetch', async (address: string) => {
    asked.push(address);
    return answer();
  });
});
afterEach(() => {
  forgetEarly();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('takes an answer that was asked for early, once', async () => {
  askEarly('/api/home');
  askEarly('/api/home');
  expect(await api.get('/home')).toEqual({ n: 1 });
  expect(asked).toHaveLength(1);
  expect(await api.get('/home')).toEqual({ n: 2 });
});

it('asks again for what is old, failed, or was answered to somebody else', async () => {
  askEarly('/api/home');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await api.get('/home')).toEqual({ n: 2 });

  answer = () => {
    throw new TypeError('no network');
  };
  askEarly('/api/sites');
  await vi.advanceTimersByTimeAsync(1);
  answer = () => Response.json({ sites: true });
  expect(await api.get('/sites')).toEqual({ sites: true });

  askEarly('/api/me');
  forgetEarly();
  answer = () => Response.json({ me: 'Ida' });
  expect(await api.get('/me')).toEqual({ me: 'Ida' });
});

it('never sends an early answer to what changes something', async () => {
  askEarly('/api/sites');
  await api.post('/sites', {});
  expect(asked).toEqual(['/api/sites', '/api/sites']);
});
