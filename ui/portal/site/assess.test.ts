import { beforeAll, describe, expect, it } from 'vitest';
import type { Permission } from '../../../protocol/wire/rights.ts';
import { speakEnglish } from '../../components/testing.ts';
import { assess, byUrgency, deviceState, glanceText, whereTo } from './assess.ts';
import { box, device } from './samples.ts';

beforeAll(speakEnglish);
const HELD = { permissions: ['list', 'view'] as Permission[] };
const since = '2026-11-22T14:00:00.000Z';

describe('is everything all right?', () => {
  it('says so when box and devices work', () => {
    const found = assess({ boxes: [box()], ...HELD, warnables: [] }, [
      device('d1', 'online'),
      device('d2', 'connecting'),
    ]);
    expect(found).toEqual({ level: 'well', items: [] });
    expect(glanceText(found)).toBe('All is well');
  });

  it('cannot say without a box, and a revoked one is none', () => {
    expect(glanceText(assess({ boxes: [], ...HELD, warnables: [] }, null))).toBe('No box at this site yet');
    expect(assess({ boxes: [box({ state: 'revoked', online: false })], ...HELD, warnables: [] }, null).level).toBe(
      'unknown',
    );
  });

  it('says that there is no permission, not that there is no box, once the owner took everything back', () => {
    const found = assess({ boxes: [], warnables: [], permissions: ['list'] }, [device('d1', 'offline')]);
    expect(found).toEqual({ level: 'unknown', items: [], barred: 'all' });
    expect(glanceText(found)).toBe('You no longer have permission here');
    const shared = { boxes: [], warnables: [], permissions: ['list' as const], own: false };
    expect(glanceText(assess(shared, null))).toBe('You have permission for some of it only');
  });

  it('names a box that is gone once, in the words of the relay if it has any, and its devices are unknown', () => {
    const gone = box({ online: false });
    const devices = [device('d1', 'offline')];
    const own = assess({ boxes: [gone], ...HELD, warnables: [] }, devices);
    expect(own.items.map((item) => item.code)).toEqual(['box-gone']);
    expect(deviceState(devices[0]!, [gone])).toBe('unknown');
    expect(glanceText(own)).toBe('1 thing needs attention');
    const told = {
      code: 'box-gone',
      subject: 'box:3467ACDEF',
      severity: 'error' as const,
      text: 'Said by the relay',
      since,
    };
    expect(assess({ boxes: [gone], ...HELD, warnables: [told] }, devices).items.map((item) => item.text)).toEqual([
      'Said by the relay',
    ]);
    // It has come back, but the site was read before.
    expect(assess({ boxes: [box()], ...HELD, warnables: [told] }, []).level).toBe('well');
  });

  it('lists a refused device once, by its warnable if there is one, and leads to it', () => {
    const devices = [device('d1', 'refused')];
    const own = assess({ boxes: [box()], ...HELD, warnables: [] }, devices);
    expect(own.items.map((item) => [item.text, item.to])).toEqual([
      ['Camera d1 refused the password. Enter it again.', '/devices/d1'],
    ]);
    const warnable = {
      code: 'device-refused-login',
      subject: 'device:d1',
      severity: 'error' as const,
      text: 'Said by the box',
      since,
    };
    const told = assess({ boxes: [box()], ...HELD, warnables: [warnable] }, devices);
    expect(told.items.map((item) => [item.text, item.to])).toEqual([['Said by the box', '/devices/d1']]);
  });

  it('puts errors before warnings, and mere information changes nothing', () => {
    const say = (code: string, severity: 'info' | 'warning' | 'error') => ({
      code,
      subject: 'box',
      severity,
      text: code,
      since,
    });
    const found = assess(
      {
        boxes: [box()],
        ...HELD,
        warnables: [say('a-info', 'info'), say('b-warning', 'warning'), say('c-error', 'error')],
      },
      [],
    );
    expect(found.items.map((item) => item.code)).toEqual(['c-error', 'b-warning', 'a-info']);
    expect(glanceText(found)).toBe('2 things need attention');
    expect(assess({ boxes: [box()], ...HELD, warnables: [say('a-info', 'info')] }, []).level).toBe('well');
  });

  it('orders sites by urgency, then by name', () => {
    const site = (name: string, level: 'well' | 'problem' | 'attention') => ({
      site: { name },
      found: { level, items: [] },
    });
    const order = [site('b', 'well'), site('c', 'attention'), site('a', 'well'), site('d', 'problem')].sort(byUrgency);
    expect(order.map((row) => row.site.name)).toEqual(['d', 'c', 'a', 'b']);
  });

  it('knows where to look after a subject', () => {
    expect(['device:d1', 'channel:d1/2', 'arc:a1', 'box'].map(whereTo)).toEqual([
      '/devices/d1',
      '/devices/d1',
      '/arc/a1',
      null,
    ]);
  });
});
