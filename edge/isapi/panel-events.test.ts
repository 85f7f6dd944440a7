import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { Event, type NewRecord } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { readAlert } from './alert.ts';
import { EventFolder } from './fold.ts';

const deviceId = uuidv7();

function site(clock = new ManualClock(), past: { event: Event; ended: boolean }[] = []) {
  const records: NewRecord[] = [];
  const fold = new EventFolder({ deviceId, clock, emit: (r) => records.push(...r) });
  fold.restore(past);
  const post = (body: unknown) => {
    const alert = readAlert({ contentType: 'application/json', body: Buffer.from(JSON.stringify(body)) });
    if (typeof alert === 'object') fold.alert(alert, alert.channel);
    return alert;
  };
  const cid = (o: Record<string, unknown>, state = 'active') =>
    post({
      ipAddress: '192.168.1.70',
      channelID: 1,
      dateTime: '2026-11-22T10:00:09+01:00',
      activePostCount: 1,
      eventType: 'cidEvent',
      eventState: state,
      eventDescription: 'CID event',
      CIDEvent: { trigger: '2026-11-22T10:00:00+01:00', upload: '2026-11-22T10:00:02+01:00', type: 'zoneAlarm', ...o },
    });
  const door = (majorEventType: number, subEventType: number, more: object = {}, top: object = {}) =>
    post({
      eventType: 'AccessControllerEvent',
      eventState: 'active',
      dateTime: '2026-11-22T10:00:00+01:00',
      ...top,
      AccessControllerEvent: { majorEventType, subEventType, currentEvent: true, doorNo: 1, ...more },
    });
  const events = () => records.flatMap((r) => (r.kind === 'event' ? [Event.parse(r.body)] : []));
  const kinds = () => records.map((r) => r.kind);
  return { clock, records, fold, post, cid, door, events, kinds };
}

describe("a panel's alarm", () => {
  it('is one event, however often and in whatever bursts it is repeated, until it is restored', async () => {
    const { clock, cid, events, kinds } = site();
    for (let burst = 0; burst < 4; burst++) {
      for (let i = 0; i < 10; i++) {
        cid({ code: 1103, standardCIDcode: 1130, zone: 0, system: 1, name: 'Front door' });
        await clock.advance(120);
      }
      await clock.advance(27_000);
    }
    expect(kinds()).toEqual(['event']);
    expect(events()[0]).toMatchObject({ type: 'zoneAlarm', channel: 1, cid: '1130', area: 1, text: 'Front door' });
    await clock.advance(3_600_000);
    expect(kinds()).toEqual(['event']);
    for (let i = 0; i < 8; i++) cid({ code: 3103, standardCIDcode: 3130, zone: 0, system: 1, trigger: 'T2' });
    expect(kinds()).toEqual(['event', 'eventEnd']);
    // Late copies of either begin and end nothing.
    cid({ code: 1103, standardCIDcode: 1130, zone: 0, system: 1 });
    cid({ code: 3103, standardCIDcode: 3130, zone: 0, system: 1, trigger: 'T2' });
    expect(kinds()).toEqual(['event', 'eventEnd']);
  });

  it('is another one when it is triggered anew, and a late restoral of the first does not end it', () => {
    const { cid, kinds, events } = site();
    const at = (code: number, trigger: string) => cid({ code, zone: 4, system: 1, trigger });
    at(1131, 'T1');
    at(3131, 'T2');
    at(1131, 'T3');
    at(3131, 'T2');
    at(1131, 'T1');
    expect(kinds()).toEqual(['event', 'eventEnd', 'event']);
    at(3131, 'T4');
    expect(kinds()).toEqual(['event', 'eventEnd', 'event', 'eventEnd']);
    expect(events().map((e) => [e.channel, e.cid])).toEqual([
      [5, '1131'],
      [5, '1131'],
    ]);
  });

  it('is kept apart by zone and by kind, and each restoral ends its own', () => {
    const { cid, events, records } = site();
    cid({ code: 1131, zone: 1 });
    cid({ code: 1131, zone: 2 });
    cid({ code: 1144, zone: 1, type: 'dismantleAlarm' });
    cid({ code: 3131, zone: 2, trigger: 'T2' });
    expect(events().map((e) => [e.type, e.channel])).toEqual([
      ['zoneAlarm', 2],
      ['zoneAlarm', 3],
      ['deviceTamper', 2],
    ]);
    expect(records.at(-1)).toMatchObject({ kind: 'eventEnd', body: { eventId: events()[1]?.id } });
  });

  it('ends where a panel says inactive with the number of the alarm', () => {
    const { cid, kinds } = site();
    cid({ code: 1130, zone: 0 });
    cid({ code: 1130, zone: 0 }, 'inactive');
    cid({ code: 1130, zone: 0 }, 'inactive');
    expect(kinds()).toEqual(['event', 'eventEnd']);
  });

  it('is not doubled by a restart of the box in the middle of it, and ends after it', () => {
    const first = site();
    first.cid({ code: 1130, zone: 0 });
    const [event] = first.events();
    first.fold.stop(false);
    expect(first.kinds()).toEqual(['event']);
    const second = site(new ManualClock(), [{ event: event!, ended: false }]);
    second.cid({ code: 1130, zone: 0 });
    expect(second.kinds()).toEqual([]);
    second.cid({ code: 3130, zone: 0, trigger: 'T2' });
    expect(second.records).toMatchObject([{ kind: 'eventEnd', body: { eventId: event!.id } }]);
  });

  it.each([
    [1110, {}, 'fire', '1110'],
    [1120, {}, 'panic', '1120'],
    [1121, {}, 'duress', '1121'],
    [1100, {}, 'medical', '1100'],
    [1137, {}, 'panelTamper', '1137'],
    [1148, {}, 'deviceTamper', '1144'],
    [1301, { zone: undefined }, 'mainsFail', '1301'],
    [1302, { zone: undefined }, 'batteryLow', '1302'],
    [1384, {}, 'batteryLow', '1384'],
    [1381, {}, 'panelFault', '1381'],
    [1570, {}, 'zoneBypassed', '1570'],
    [1627, {}, 'other', '1627'],
    [1759, {}, 'zoneAlarm', '1130'],
    // A number that nobody knows is still an alarm, and nothing is made up for the receiving centre.
    [1987, {}, 'zoneAlarm', undefined],
    [1987, { type: 'sysStatus' }, 'panelFault', undefined],
  ] as const)('%i %o is %s', (code, more, type, cid) => {
    const panel = site();
    panel.cid({ code, zone: 3, ...more });
    expect(panel.events()).toMatchObject([{ type }]);
    expect(panel.events()[0]?.cid).toBe(cid);
  });

  it('is not made of its tests of its own way to a receiver', () => {
    const { cid, kinds } = site();
    expect(cid({ code: 1602, type: 'sysStatus' })).toBe('ignore');
    expect(kinds()).toEqual([]);
  });
});

describe('arming and disarming', () => {
  it('tell which, where and by whom, once each, and have no end', async () => {
    const { clock, cid, events, kinds } = site();
    const say = (code: number, trigger: string, state?: string) => {
      for (let i = 0; i < 7; i++)
        cid({ code, type: 'armAndDisarm', system: 2, name: 'anna', subSystemName: 'Office', trigger }, state);
    };
    say(3401, 'T1');
    say(1401, 'T2');
    await clock.advance(27_000);
    say(3401, 'T1');
    say(1401, 'T2', 'inactive');
    say(3441, 'T3');
    await clock.advance(600_000);
    expect(kinds()).toEqual(['event', 'event', 'event']);
    expect(events().map((e) => [e.type, e.channel, e.cid, e.text])).toEqual([
      ['areaArmedAway', 2, '3401', 'anna, Office'],
      ['areaDisarmed', 2, '1401', 'anna, Office'],
      ['areaArmedStay', 2, '3441', 'anna, Office'],
    ]);
  });

  it('are not opened again by a restart', () => {
    const first = site();
    first.cid({ code: 3401, type: 'armAndDisarm', system: 1 });
    const second = site(new ManualClock(), [{ event: first.events()[0]!, ended: false }]);
    second.cid({ code: 3401, type: 'armAndDisarm', system: 1 });
    second.fold.stop(true);
    expect(second.kinds()).toEqual([]);
  });
});

describe('access control', () => {
  it('tells doors that are opened, forced and held, and their closing ends all of it (LINK-22)', () => {
    const { door, events, kinds } = site();
    door(5, 25, { serialNo: 1 });
    door(5, 28, { serialNo: 2 });
    door(5, 27, { serialNo: 3, doorNo: 2 });
    door(5, 26, { serialNo: 4 });
    expect(events().map((e) => [e.type, e.channel])).toEqual([
      ['doorOpened', 1],
      ['doorHeldOpen', 1],
      ['doorForced', 2],
    ]);
    expect(kinds()).toEqual(['event', 'event', 'event', 'eventEnd', 'eventEnd']);
  });

  it('tells tamper and a lost network until they are over (LINK-21)', async () => {
    const { clock, door, events, kinds } = site();
    door(1, 1028, { serialNo: 1 });
    door(2, 39, { serialNo: 2 });
    await clock.advance(600_000);
    expect(events().map((e) => e.type)).toEqual(['deviceTamper', 'networkDisconnected']);
    door(1, 1029, { serialNo: 3 });
    door(2, 1031, { serialNo: 4 });
    expect(kinds()).toEqual(['event', 'event', 'eventEnd', 'eventEnd']);
  });

  it('takes a lock that a command opens for one event, and a serial number once', () => {
    const { door, events } = site();
    door(3, 1024, { serialNo: 1 });
    door(5, 21, { serialNo: 2 });
    door(1, 1034, { serialNo: 3 });
    door(1, 1034, { serialNo: 3 });
    expect(events().map((e) => e.type)).toEqual(['doorUnlocked', 'duress']);
  });

  it('passes over the backlog and daily business, but no alarm that it does not know', () => {
    const { door, events } = site();
    door(5, 27, { serialNo: 1, currentEvent: false });
    door(5, 75, { serialNo: 2 });
    door(3, 112, { serialNo: 3 });
    door(1, 2304, { serialNo: 4 });
    expect(events()).toMatchObject([{ type: 'other', text: 'AccessControllerEvent 1/2304' }]);
  });
});

describe('a call', () => {
  it('is one event from the ringing to whatever ends it (LINK-24, LINK-27)', () => {
    const { post, kinds, events } = site();
    const talk = (cmdType: string, more: object = {}) =>
      post({ eventType: 'voiceTalkEvent', eventState: 'active', VoiceTalkEvent: { cmdType, ...more } });
    talk('request', { currentEvent: false });
    talk('request');
    talk('request');
    talk('callInfo');
    talk('answer');
    talk('hangUp');
    expect(kinds()).toEqual(['event', 'eventEnd']);
    expect(events()[0]).toMatchObject({ type: 'call', channel: 1 });
  });

  it('is also the bell of a terminal', async () => {
    const { clock, door, kinds } = site();
    door(5, 37, { serialNo: 1 });
    await clock.advance(30_000);
    expect(kinds()).toEqual(['event', 'eventEnd']);
  });
});
