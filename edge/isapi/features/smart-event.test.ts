import { afterEach, beforeEach, expect, it } from 'vitest';
import type { FieldValue, Region } from '../../../protocol/wire/operations.ts';
import { connected, Documents } from '../testing/documents.ts';
import { ScriptedDevice } from '../testing/scripted-device.ts';
import { cameras } from './cameras.ts';
import { SMART_EVENTS } from './smart-event.ts';

const NS = 'version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema"';
const region = (id: number) =>
  `<FieldDetectionRegion><id>${id}</id><enabled>false</enabled><sensitivityLevel>50</sensitivityLevel><timeThreshold>5</timeThreshold><RegionCoordinatesList></RegionCoordinatesList></FieldDetectionRegion>`;
const FIELD = `<FieldDetection ${NS}><id>1</id><enabled>false</enabled><FieldDetectionRegionList>${region(1)}${region(2)}</FieldDetectionRegionList></FieldDetection>`;
/** Drawn from left to right at this height, or empty. */
const line = (id: number, y: number | null) =>
  `<LineItem><id>${id}</id><enabled>${y !== null}</enabled><sensitivityLevel>${id}0</sensitivityLevel><directionSensitivity>any</directionSensitivity><CoordinatesList>${y === null ? '' : `<Coordinates><positionX>0</positionX><positionY>${y}</positionY></Coordinates><Coordinates><positionX>1000</positionX><positionY>${y}</positionY></Coordinates>`}</CoordinatesList></LineItem>`;
const LINE = (...ys: (number | null)[]) =>
  `<LineDetection ${NS}><id>1</id><enabled>false</enabled><LineItemList>${ys.map((y, i) => line(i + 1, y)).join('')}</LineItemList></LineDetection>`;
const entry =
  '<EventTriggerNotification><id>center</id><notificationMethod>center</notificationMethod></EventTriggerNotification>';
const triggers = (on: boolean) =>
  `<EventTriggerList ${NS}><EventTrigger><id>fielddetection-1</id><eventType>fielddetection</eventType><videoInputChannelID>1</videoInputChannelID><EventTriggerNotificationList>${on ? entry : ''}</EventTriggerNotificationList></EventTrigger></EventTriggerList>`;

let scripted: ScriptedDevice;
let documents: Documents;
let open: Awaited<ReturnType<typeof connected>>;
beforeEach(async () => {
  scripted = new ScriptedDevice();
  const port = await scripted.start();
  documents = new Documents(scripted);
  documents.set('/Smart/FieldDetection/1', FIELD);
  documents.set('/Smart/LineDetection/1', LINE(null, null, null, null));
  documents.set('/Event/triggers', triggers(false));
  documents.set('/Event/triggers/fielddetection-1/notifications', `<EventTriggerNotificationList ${NS}/>`, (body) => {
    documents.set('/Event/triggers', triggers(body.includes('center')));
    return body;
  });
  open = await connected(scripted, port, [...SMART_EVENTS, cameras]);
});
afterEach(async () => {
  open.close();
  await scripted.stop();
});
const here = { channel: 1 };
async function fields(section: 'intrusion' | 'lineCrossing'): Promise<Record<string, FieldValue>> {
  const read = await open.features.read(section, here);
  if (!read.ok) throw new Error(read.text);
  return Object.fromEntries(read.value.map((f) => [f.name, f.kind === 'secret' ? null : f.value]));
}

it('intrusion has its areas from the upper left, its sensitivity and who hears of it (CLOUD-06, CLOUD-08)', async () => {
  expect(await fields('intrusion')).toEqual({
    enabled: false,
    sensitivity: 50,
    timeThreshold: 5,
    area: [],
    notify: false,
  });
  const area: FieldValue = [
    [
      [0.1, 0.2],
      [0.5, 0.2],
      [0.5, 0.75],
    ],
  ];
  const set = { enabled: true, notify: true, sensitivity: 80, area };
  const written = await open.features.write('intrusion', here, set);
  expect(written).toMatchObject({ ok: true, value: { notKept: [] } });
  expect(await fields('intrusion')).toMatchObject({ ...set, timeThreshold: 5 });
  const kept = documents.get('/Smart/FieldDetection/1');
  // Devices count from the lower left.
  expect(kept).toContain('<positionX>100</positionX><positionY>800</positionY>');
  expect(kept.match(/<enabled>true/g)).toHaveLength(2);
  // The other area is as it was.
  expect(kept).toContain(region(2));
});

it('counts at the times of a week that are set, and is read back (CLOUD-08)', async () => {
  const path = '/Event/schedules/fieldDetections/FieldDetection_video1';
  const block = (day: number, from: string, to: string) =>
    `<TimeBlock><dayOfWeek>${day}</dayOfWeek><TimeRange><beginTime>${from}</beginTime><endTime>${to}</endTime></TimeRange></TimeBlock>`;
  const all = [1, 2, 3, 4, 5, 6, 7].map((day) => block(day, '00:00', '23:59:59')).join('');
  documents.set(path, `<Schedule ${NS}><id>1</id><TimeBlockList size="8">${all}</TimeBlockList></Schedule>`);
  const always = expect.stringMatching(/^1 00:00-24:00, 2/);
  expect(await fields('intrusion')).toMatchObject({ aroundTheClock: true, schedule: always });
  const schedule = '1 00:00-06:30, 1 18:00-24:00, 7 00:00-24:00';
  const written = await open.features.write('intrusion', here, { schedule });
  expect(written).toMatchObject({ ok: true, value: { notKept: [] } });
  expect(await fields('intrusion')).toMatchObject({ aroundTheClock: false, schedule });
  expect(documents.get(path)).toContain(block(1, '18:00', '24:00'));
  for (const bad of ['1 08:00-07:00', '8 08:00-09:00', '2 01:00-02:00, 1 01:00-02:00', '1 00:00-24:01', 'x'])
    expect([bad, await open.features.write('intrusion', here, { schedule: bad })]).toMatchObject([bad, { ok: false }]);
  // No time at all is a wish too.
  expect(await open.features.write('intrusion', here, { schedule: '' })).toMatchObject({ ok: true });
  expect(await fields('intrusion')).toMatchObject({ schedule: '' });
});

it('switched on without an area it watches the whole picture, because it would never tell of anything', async () => {
  expect(await open.features.write('intrusion', here, { enabled: true })).toMatchObject({ ok: true });
  expect((await fields('intrusion')).area).toHaveLength(1);
});

const across = (y: number): Region => [
  [0, y],
  [1, y],
];

it('line crossing has its lines, each with the direction in which it counts (CLOUD-06)', async () => {
  const lines: Region[] = [
    [
      [0.1, 0.25],
      [0.9, 0.75],
    ],
    across(0.5),
  ];
  const set = { lines, enabled: true, direction: 'left-right' };
  expect(await open.features.write('lineCrossing', here, set)).toMatchObject({ ok: true, value: { notKept: [] } });
  // The second one is there now, and has a direction of its own.
  expect(await fields('lineCrossing')).toMatchObject({ ...set, direction2: 'any', sensitivity: 10, sensitivity2: 20 });
  const more = { direction2: 'right-left', sensitivity: 70 };
  expect(await open.features.write('lineCrossing', here, more)).toMatchObject({ ok: true, value: { notKept: [] } });
  expect(await fields('lineCrossing')).toMatchObject({ ...set, ...more, sensitivity2: 20 });
  expect(documents.get('/Smart/LineDetection/1')).toContain('<positionX>100</positionX><positionY>750</positionY>');
  const refused: FieldValue[] = [[[...across(0.1), [0.5, 0.5]]], Array.from({ length: 5 }, (_, i) => across(i / 10))];
  for (const bad of refused)
    expect(await open.features.write('lineCrossing', here, { lines: bad })).toMatchObject({ code: 'invalid-request' });
});

it.each([
  ['moved', [0.2, 0.55, 0.6], [800, null, 450, 400]],
  ['removed', [0.2, 0.6], [800, null, null, 400]],
  ['added', [0.2, 0.5, 0.6, 0.9], [800, 100, 500, 400]],
])('what is %s leaves the other lines in their places, untouched (CLOUD-08)', async (_, wanted, places) => {
  documents.set('/Smart/LineDetection/1', LINE(800, null, 500, 400));
  expect(await fields('lineCrossing')).toMatchObject({ lines: [0.2, 0.5, 0.6].map(across), sensitivity3: 30 });
  const lines = wanted.map(across);
  expect(await open.features.write('lineCrossing', here, { lines })).toMatchObject({
    ok: true,
    value: { notKept: [] },
  });
  expect(documents.get('/Smart/LineDetection/1')).toBe(LINE(...places));
});

it('a line that is drawn but off is switched on again, rather than another one drawn', async () => {
  documents.set('/Smart/LineDetection/1', LINE(300, null).replaceAll('<enabled>true', '<enabled>false'));
  expect(await fields('lineCrossing')).toMatchObject({ lines: [] });
  expect(await open.features.write('lineCrossing', here, { enabled: true })).toMatchObject({ ok: true });
  expect(await fields('lineCrossing')).toMatchObject({ enabled: true, lines: [across(0.7)] });
});
