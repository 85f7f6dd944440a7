import { beforeEach, describe, expect, it } from 'vitest';
import { showPushes } from './push.ts';
import type { WindowClient, WorkerEvents, WorkerScope } from './scope.ts';

const ORIGIN = 'https://relay.example';
let shown: { title: string; options: { body: string; tag: string; data: unknown } }[];
let opened: string[];
let pages: (WindowClient & { focused: boolean; led: string | null })[];
let fire: <K extends keyof WorkerEvents>(type: K, more: object) => Promise<void>;

function page(url: string, controlled = true) {
  const client = {
    url,
    focused: false,
    led: null as string | null,
    focus: async () => {
      client.focused = true;
      return client;
    },
    navigate: async (target: string) => {
      if (!controlled) throw new TypeError('not controlled');
      client.led = target;
      return client;
    },
  };
  return client;
}

beforeEach(() => {
  [shown, opened, pages] = [[], [], []];
  const listeners = new Map<string, (event: never) => void>();
  showPushes({
    location: { origin: ORIGIN },
    clients: {
      matchAll: async () => pages,
      openWindow: async (url: string) => {
        opened.push(url);
        return null;
      },
    },
    registration: { showNotification: async (title: string, options: never) => void shown.push({ title, options }) },
    addEventListener: (type: string, listener: (event: never) => void) => listeners.set(type, listener),
  } as unknown as WorkerScope);
  fire = async (type, more) => {
    let work: Promise<unknown> = Promise.resolve();
    listeners.get(type)!({ ...more, waitUntil: (given: Promise<unknown>) => (work = given) } as never);
    await work;
  };
});

describe('a push', () => {
  it('is shown as the relay wrote it, once', async () => {
    const payload = { id: 'n1', title: 'Handover accepted', text: 'Corner Shop', link: '/sites/1' };
    await fire('push', { data: { json: () => payload } });
    expect(shown).toMatchObject([
      { title: 'Handover accepted', options: { body: 'Corner Shop', tag: 'n1', data: { link: '/sites/1' } } },
    ]);
  });

  it.each([
    ['nothing', null],
    [
      'no JSON',
      {
        json: () => {
          throw new SyntaxError('no JSON');
        },
      },
    ],
    ['other things', { json: () => ({ title: 7, link: { a: 1 } }) }],
  ])('of %s is shown all the same', async (_, data) => {
    await fire('push', { data });
    expect(shown).toMatchObject([{ title: 'Gatepost', options: { body: '', data: { link: '' } } }]);
  });
});

describe('a click', () => {
  const click = async (link: unknown) => {
    let closed = false;
    await fire('notificationclick', { notification: { data: { link }, close: () => (closed = true) } });
    expect(closed).toBe(true);
  };

  it.each([
    ['/sites/1?a=b', `${ORIGIN}/sites/1?a=b`],
    ['', `${ORIGIN}/messages`],
    [undefined, `${ORIGIN}/messages`],
    ['https://evil.example/', `${ORIGIN}/messages`],
    ['//evil.example/', `${ORIGIN}/messages`],
    ['/\\evil.example/', `${ORIGIN}/messages`],
    ['javascript:alert(1)', `${ORIGIN}/messages`],
  ])('opens only the portal: %j', async (link, url) => {
    await click(link);
    expect(opened).toEqual([url]);
  });

  it('takes the page that shows it already, else one that is open', async () => {
    pages = [page(`${ORIGIN}/`), page(`${ORIGIN}/sites/1`)];
    await click('/sites/1');
    expect(pages.map(({ focused, led }) => [focused, led])).toEqual([
      [false, null],
      [true, null],
    ]);
    await click('/sites/2');
    expect(pages[0]).toMatchObject({ focused: true, led: `${ORIGIN}/sites/2` });
    expect(opened).toEqual([]);
  });

  it('opens a window beside a page that it cannot lead', async () => {
    pages = [page(`${ORIGIN}/`, false)];
    await click('/sites/2');
    expect(opened).toEqual([`${ORIGIN}/sites/2`]);
  });
});
