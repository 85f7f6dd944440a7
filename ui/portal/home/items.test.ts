import { exec as match } from 'preact-iso/router';
import { describe, expect, it } from 'vitest';
import { HOME_KINDS, type HomeItem } from '../../../protocol/wire/home.ts';
import type { Warnable } from '../../../protocol/wire/warnable.ts';
import { ROUTES } from '../routes.tsx';
import { SITE_ROUTES } from '../site-routes.tsx';
import { byKind, isUrgent, linkOf, siteState, urgentCount } from './items.ts';

const SITE = '019ab000-0000-7000-8000-000000000001';
const item = (kind: HomeItem['kind']): HomeItem => ({
  kind,
  name: 'a',
  deviceId: '019ab000-0000-7000-8000-000000000002',
  text: null,
  at: null,
  site: { id: SITE, name: 'Shop', timeZone: 'UTC' },
});

describe('what home shows', () => {
  it.each(HOME_KINDS)('%s leads to a page', (kind) => {
    const link = linkOf(item(kind));
    const below = link.startsWith(`/sites/${SITE}`) ? link.slice(`/sites/${SITE}`.length) || '/' : null;
    const found =
      below === null
        ? ROUTES.some((route) => match(link, route.path))
        : SITE_ROUTES.some((route) => match(below, route.path));
    expect(found, link).toBe(true);
  });

  it('keeps what does not work apart from what waits for an answer, and kinds together', () => {
    expect(HOME_KINDS.filter((kind) => !isUrgent(kind))).toEqual([
      'join-request',
      'partner-invitation',
      'permission-request',
      'permission-asked',
      'transfer-open',
      'company-unproven',
    ]);
    const kinds = byKind([item('box-gone'), item('problem'), item('box-gone')]).map(([kind, list]) => [
      kind,
      list.length,
    ]);
    expect(kinds).toEqual([
      ['box-gone', 2],
      ['problem', 1],
    ]);
  });

  const box = (state: 'claimed' | 'revoked') => ({ state }) as Parameters<typeof siteState>[0]['boxes'][number];
  const problem = (severity: Warnable['severity']) => ({ severity }) as Warnable;
  it.each([
    [[box('claimed')], [], { level: 'well', count: 0 }],
    [[box('revoked')], [], { level: 'unknown', count: 0 }],
    [[], [], { level: 'unknown', count: 0 }],
    [[box('claimed')], [problem('info')], { level: 'well', count: 0 }],
    [[box('claimed')], [problem('warning'), problem('info')], { level: 'attention', count: 1 }],
    [[], [problem('warning'), problem('error')], { level: 'problem', count: 2 }],
  ] as const)('%j with %j is %j', (boxes, warnables, state) => {
    const site = { boxes: [...boxes], warnables: [...warnables] };
    expect(siteState({ ...site, permissions: ['list', 'view'] })).toEqual({ ...state, barred: false });
    expect(siteState({ ...site, permissions: ['list'] })).toEqual({ level: 'unknown', count: 0, barred: true });
  });

  it('counts what a site shown below needs, once', () => {
    const site = (id: string, ...warnables: Warnable[]) => ({
      id,
      boxes: [],
      warnables,
      permissions: ['view' as const],
    });
    const [one, other] = [site(SITE, problem('error')), site('other', problem('warning'), problem('info'))];
    expect(urgentCount([], [one, other])).toBe(2);
    expect(urgentCount([item('problem'), item('transfer-open')], [one, other])).toBe(2);
    expect(urgentCount([item('transfer-open')], [])).toBe(0);
  });
});
