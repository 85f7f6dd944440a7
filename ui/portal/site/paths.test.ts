import { beforeAll, describe, expect, it } from 'vitest';
import type { Diagram } from '../../components/diagram.ts';
import { speakEnglish } from '../../components/testing.ts';
import { alarmPath, sitePaths } from './paths.ts';
import { account, alarm, box, device, event, plus } from './samples.ts';

beforeAll(speakEnglish);
const states = ({ legs }: Diagram) => [legs.lan.state, legs.direct.state, legs.uplink.state, legs.relayArc.state];
const devices = [device('d1', 'online'), device('d2', 'offline')];

describe('the ways of a site', () => {
  it.each([
    ['direct in use', { path: 'direct', direct: 'up', relay: 'unknown' }, ['used', 'used', 'ready', 'unknown']],
    ['relay in use', { path: 'relay', direct: 'down', relay: 'up' }, ['used', 'down', 'used', 'used']],
    ['both down', { path: 'none', direct: 'down', relay: 'down' }, ['used', 'down', 'ready', 'down']],
  ] as const)('%s', (_, health, expected) => {
    expect(states(sitePaths(box(), devices, account(health)))).toEqual(expected);
  });

  it('knows nothing past a box that is gone', () => {
    const model = sitePaths(box({ online: false }), devices, account({ path: 'direct' }));
    expect(states(model)).toEqual(['unknown', 'unknown', 'down', 'unknown']);
    expect(model.nodes.devices.sub).toBe('Unknown');
    expect(model.nodes.arc?.level).toBe('unknown');
  });

  it('has no direct way where the account always goes through the relay, and no ARC without an account', () => {
    expect(states(sitePaths(box(), devices, account({ path: 'relay', relay: 'up' }, 'relay')))[1]).toBe('off');
    const none = sitePaths(box(), [], null);
    expect(states(none)).toEqual(['unknown', 'off', 'ready', 'off']);
    expect(none.nodes.arc).toBeNull();
  });

  it('stands with the delay of the last alarms on each leg that works, and says the state beside it', () => {
    const legs = {
      accountId: 'account',
      boxSerial: '3467ACDEF',
      deviceToBoxMs: 14,
      directMs: 182,
      secondMs: 95,
      boxToRelayMs: 20,
      relayToArcMs: 61,
      last: null,
    };
    const labels = (health: Parameters<typeof account>[0]) => {
      const { legs: drawn, summary } = sitePaths(box(), devices, account(health), legs);
      return [drawn.lan.label, drawn.direct.label, drawn.relayArc.label, /Box to North: ([^.]*)\./.exec(summary)?.[1]];
    };
    expect(labels({ path: 'direct', direct: 'up', relay: 'up' })).toEqual([
      ...['14 ms', 'direct, 182 ms', 'relay, 61 ms', 'direct, in use, 182 ms'],
    ]);
    expect(labels({ path: 'second', direct: 'down', relay: 'unknown', second: 'up' })).toEqual([
      ...['14 ms', 'second interface, 95 ms', 'relay, not known', 'second interface, in use, 95 ms'],
    ]);
    expect(labels({ path: 'relay', direct: 'down', relay: 'up' }).slice(1, 3)).toEqual([
      'direct, down',
      'relay, 61 ms',
    ]);
  });

  it('says it all in words', () => {
    expect(sitePaths(box(), devices, account({ path: 'relay', direct: 'down', relay: 'up' })).summary).toBe(
      'Devices: 1 of 2 online. Box: 3467ACDEF. North: Account 001234. Devices to Box: works. Box to North: direct, down. ' +
        'Box to Relay: in use. Relay to North: relay, in use.',
    );
  });
});

describe('the way of one alarm', () => {
  it('shows the time of each leg of a direct one', () => {
    const model = alarmPath(event('event'), alarm());
    expect(states(model)).toEqual(['used', 'used', 'off', 'off']);
    expect([model.legs.lan.label, model.legs.direct.label]).toEqual(['14 ms', 'direct, 182 ms']);
    expect(model.nodes.relay).toBeNull();
  });

  it('goes through the relay', () => {
    const model = alarmPath(event('event'), alarm({ path: 'relay', tries: 2, acknowledgedAt: plus(1857) }));
    expect(states(model)).toEqual(['used', 'off', 'used', 'used']);
    expect(model.legs.relayArc.label).toBe('relay, 1.8 s');
  });

  it('is not there yet while it waits, and says so when it failed', () => {
    const waiting = alarmPath(event('event'), alarm({ state: 'waiting', acknowledgedAt: null }));
    expect([waiting.legs.direct.state, waiting.legs.direct.label]).toEqual(['unknown', 'direct, waiting']);
    const failed = alarmPath(event('event'), alarm({ state: 'failed', acknowledgedAt: null }));
    expect([failed.legs.direct.state, failed.nodes.arc?.sub]).toEqual(['down', 'not delivered']);
  });
});
