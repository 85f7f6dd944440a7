import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connected, Documents } from '../testing/documents.ts';
import { ScriptedDevice } from '../testing/scripted-device.ts';
import { cameras } from './cameras.ts';
import { enableMotionEverywhere, motion } from './motion.ts';

const DETECTOR = '/System/Video/inputs/channels/1/motionDetection';
const SCHEDULE = '/Event/schedules/motionDetections/VMD_video1';
const detector = (o: { on?: boolean; map?: string; rows?: number; target?: string } = {}) =>
  `\uFEFF<?xml version="1.0" encoding="UTF-8"?><MotionDetection version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema"><enabled>${o.on ?? false}</enabled><enableHighlight>true</enableHighlight><samplingInterval>2</samplingInterval><regionType>grid</regionType><Grid><rowGranularity>${o.rows ?? 18}</rowGranularity><columnGranularity>22</columnGranularity></Grid><MotionDetectionLayout version="2.0"><sensitivityLevel>40</sensitivityLevel><layout><gridMap>${o.map ?? '000000'.repeat(o.rows ?? 18)}</gridMap></layout>${o.target === undefined ? '' : `<targetType>${o.target}</targetType>`}</MotionDetectionLayout></MotionDetection>`;
const entry = (id: string) =>
  `<EventTriggerNotification><id>${id}</id><notificationMethod>${id}</notificationMethod><notificationRecurrence>recurring</notificationRecurrence></EventTriggerNotification>`;
const triggers = (...ids: string[]) =>
  `<EventTriggerList xmlns="urn:psialliance-org" size="0"><EventTrigger><id>vmd-1</id><eventType>VMD</eventType><videoInputChannelID>1</videoInputChannelID><EventTriggerNotificationList>${ids.map(entry).join('')}</EventTriggerNotificationList></EventTrigger><EventTrigger><id>linedetection-1</id><eventType>linedetection</eventType><videoInputChannelID>1</videoInputChannelID></EventTrigger><EventTrigger><id>diskfull</id><eventType>diskfull</eventType></EventTrigger></EventTriggerList>`;
const schedule = (end: string) =>
  `<Schedule xmlns="http://www.isapi.org/ver20/XMLSchema"><id>VMD_video1</id><TimeBlockList size="8">${[1, 2, 3, 4, 5, 6, 7].map((d) => `<TimeBlock><dayOfWeek>${d}</dayOfWeek><TimeRange><beginTime>00:00</beginTime><endTime>${end}</endTime></TimeRange></TimeBlock>`).join('')}</TimeBlockList></Schedule>`;

let scripted: ScriptedDevice;
let documents: Documents;
let port: number;
let close = () => {};

function notifyOf(...ids: string[]) {
  documents.set('/Event/triggers', triggers(...ids));
  const list = `<EventTriggerNotificationList xmlns="urn:psialliance-org">\n  ${ids.map(entry).join('\n  ')}\n</EventTriggerNotificationList>`;
  documents.set('/Event/triggers/vmd-1/notifications', list, (body) => {
    const kept = [...body.matchAll(/<notificationMethod>(\w+)</g)].map((m) => m[1]!);
    documents.set('/Event/triggers', triggers(...kept));
    return body;
  });
}
beforeEach(async () => {
  scripted = new ScriptedDevice();
  port = await scripted.start();
  documents = new Documents(scripted);
  documents.set(DETECTOR, detector());
  documents.set(SCHEDULE, schedule('18:00'));
  notifyOf('record', 'email');
});
afterEach(async () => {
  close();
  await scripted.stop();
});
const at = async () => {
  const all = await connected(scripted, port, [motion, cameras]);
  close = all.close;
  return all;
};
const here = { channel: 1 };

describe('motion detection', () => {
  it('is told with its area, its targets, and who hears of it', async () => {
    documents.set(DETECTOR, detector({ on: true, map: `${'fffffe'.repeat(9)}${'000000'.repeat(9)}`, target: 'human' }));
    const { features } = await at();
    const read = await features.read('motion', here);
    const value = (name: string) => {
      const field = read.ok ? read.value.find((f) => f.name === name) : undefined;
      return field && field.kind !== 'secret' ? field.value : undefined;
    };
    expect(value('enabled')).toBe(true);
    expect(value('sensitivity')).toBe(40);
    expect(value('area')).toEqual([
      [
        [0, 0],
        [1, 0],
        [1, 0.5],
        [0, 0.5],
      ],
    ]);
    expect([value('targetHuman'), value('targetVehicle')]).toEqual([true, false]);
    expect([value('notify'), value('aroundTheClock')]).toEqual([false, false]);
  });

  it('keeps the other notifications when one is switched on or off', async () => {
    const { features } = await at();
    expect(await features.write('motion', here, { notify: true })).toMatchObject({ value: { notKept: [] } });
    const list = documents.written[0]!.body;
    expect(list).toContain(`${entry('record')}\n  ${entry('email')}\n  <EventTriggerNotification><id>center</id>`);
    expect(await features.write('motion', here, { notify: false })).toMatchObject({ value: { notKept: [] } });
    expect(documents.get('/Event/triggers')).toBe(triggers('record', 'email'));
  });

  it('tells the surveillance centre of a trigger that tells nobody yet, and has no list for it (CLOUD-09)', async () => {
    const bare = (list: string) =>
      `<EventTrigger xmlns="urn:psialliance-org"><id>VMD-1</id><eventType>VMD</eventType>${list}<videoInputChannelID>1</videoInputChannelID></EventTrigger>`;
    documents.set('/Event/triggers', `<EventTriggerList>${bare('')}</EventTriggerList>`);
    documents.set('/Event/triggers/VMD-1', bare(''), (body) => {
      documents.set('/Event/triggers', `<EventTriggerList>${body}</EventTriggerList>`);
      return body;
    });
    const { features } = await at();
    expect(await features.write('motion', here, { notify: true })).toMatchObject({ ok: true, value: { notKept: [] } });
    expect(documents.get('/Event/triggers/VMD-1')).toMatch(
      /<EventTriggerNotificationList><EventTriggerNotification><id>center<.*<\/EventTriggerNotificationList><\/EventTrigger>$/,
    );
  });

  it('takes an area and targets, and says what was not kept', async () => {
    documents.set(DETECTOR, detector({ target: 'human,vehicle' }), (body) =>
      body.replace('<enabled>true', '<enabled>false'),
    );
    const { features } = await at();
    const area = [
      [
        [0.1, 0.2],
        [0.9, 0.2],
        [0.5, 0.9],
      ] as [number, number][],
    ];
    expect(await features.write('motion', here, { area, targetHuman: false, enabled: true })).toMatchObject({
      value: { notKept: [{ name: 'enabled', wanted: true, is: false }] },
    });
    expect(documents.get(DETECTOR)).toContain('<targetType>vehicle</targetType>');
    expect(documents.get(DETECTOR)).toContain('<samplingInterval>2</samplingInterval>');
  });

  it('is switched on over the whole picture, around the clock, told to the surveillance centre (INIT-16)', async () => {
    // The device sets its padding bits.
    documents.set(DETECTOR, detector({ rows: 15 }), (body) => body.replaceAll('fffffc', 'fffffe'));
    const { device } = await at();
    expect(await enableMotionEverywhere(device, 1)).toEqual({
      ok: true,
      value: { done: ['notify', 'aroundTheClock', 'area', 'enabled'], failed: [], rebootRequired: false },
    });
    expect(documents.get(DETECTOR)).toBe(detector({ on: true, rows: 15, map: 'fffffe'.repeat(15) }));
    expect(documents.get('/Event/triggers')).toBe(triggers('record', 'email', 'center'));
    documents.written.length = 0;
    // Once more changes nothing.
    expect(await enableMotionEverywhere(device, 1)).toMatchObject({ value: { failed: [] } });
    expect(documents.written.filter((w) => w.path !== DETECTOR)).toEqual([]);
  });

  it('names what the device did not take, and does the rest (INIT-16)', async () => {
    documents.set(SCHEDULE, schedule('18:00'), () => ({ refuse: 'badXmlContent' }));
    documents.set('/Event/triggers', '<EventTriggerList/>');
    const { device } = await at();
    const result = await enableMotionEverywhere(device, 1);
    expect(result).toMatchObject({ ok: true, value: { done: ['area', 'enabled'] } });
    expect(result.ok && result.value.failed).toEqual([
      'aroundTheClock not. It answered "badXmlContent".',
      'notify: it tells of no motion on this channel',
      'aroundTheClock',
    ]);
  });

  it('tells the surveillance centre of a device that lists no triggers', async () => {
    scripted.routes.delete('/ISAPI/Event/triggers');
    const single = /<EventTrigger>.*?<\/EventTrigger>/.exec(triggers('beep'))![0].replaceAll('vmd-1', 'VMD-1');
    documents.set('/Event/triggers/VMD-1', single);
    const { features } = await at();
    expect(await features.write('motion', here, { notify: true })).toMatchObject({ value: { notKept: [] } });
    expect(documents.get('/Event/triggers/VMD-1')).toContain(`${entry('beep')}<EventTriggerNotification><id>center`);
  });

  it('of a channel whose camera is away says so, and is asked again', async () => {
    const { features } = await at();
    await features.capabilities();
    const there = scripted.routes.get(`/ISAPI${DETECTOR}`)!;
    scripted.routes.set(`/ISAPI${DETECTOR}`, (_req, res) => scripted.status(res, 403, 4, 'channelOffline'));
    expect(await features.read('motion', here)).toMatchObject({ ok: false, subStatus: 'channelOffline' });
    scripted.routes.set(`/ISAPI${DETECTOR}`, there);
    expect(await features.read('motion', here)).toMatchObject({ ok: true });
  });

  it('is not offered by a device that has none, and asked for once', async () => {
    scripted.routes.delete(`/ISAPI${DETECTOR}`);
    const { features } = await at();
    expect((await features.capabilities()).sections).toEqual([]);
    await features.read('motion', here);
    expect(scripted.seen.filter((s) => s.url.endsWith('motionDetection') && s.login === 'good')).toHaveLength(1);
  });
});

it('makes each channel a resource with what it can cause (LINK-28)', async () => {
  documents.set(
    '/Event/channels/1/capabilities',
    '<ChannelEventCap><eventType opt="motionDetection,VMD,fieldDetection,facedetection,audioexception"/></ChannelEventCap>',
  );
  const { features } = await at();
  expect((await features.capabilities()).resources).toEqual([
    {
      kind: 'camera',
      id: '1',
      name: 'Door',
      actions: ['capture', 'record'],
      triggers: ['motion', 'lineCrossing', 'intrusion', 'faceDetection'],
    },
  ]);
});
