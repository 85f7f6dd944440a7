import { afterEach, beforeEach, expect, it } from 'vitest';
import { connected } from '../testing/documents.ts';
import { ScriptedDevice } from '../testing/scripted-device.ts';
import { initialiseNewDisks, isSurelyEmpty, storage } from './storage.ts';

const XMLNS = 'version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema"';
interface Shown {
  status: string;
  capacity?: string;
  free?: string;
  property?: string;
}
let scripted: ScriptedDevice;
let port: number;
let disks: Map<number, Shown>;
let nas: string;
/** Numbers of the disks that were told to format. */
let formatted: number[];
let close = () => {};

const show = () =>
  `<storage ${XMLNS}><hddList size="0">${[...disks]
    .map(
      ([id, d]) =>
        `<hdd><id>${id}</id><hddName>hdd${id}</hddName><hddType>SATA</hddType><status>${d.status}</status><capacity>${d.capacity ?? '953870'}</capacity><freeSpace>${d.free ?? ''}</freeSpace><property>${d.property ?? 'RW'}</property></hdd>`,
    )
    .join('')}</hddList><nasList>${nas}</nasList></storage>`;

beforeEach(async () => {
  scripted = new ScriptedDevice();
  port = await scripted.start();
  disks = new Map();
  nas = '';
  formatted = [];
  scripted.routes.set('/ISAPI/ContentMgmt/Storage', (_req, res) => res.end(show()));
  for (let id = 1; id <= 20; id++) {
    scripted.routes.set(`/ISAPI/ContentMgmt/Storage/hdd/${id}/format`, (_req, res) => {
      formatted.push(id);
      scripted.status(res, 200, 1, 'ok');
    });
    let polls = 0;
    scripted.routes.set(`/ISAPI/ContentMgmt/Storage/hdd/${id}/formatStatus`, (_req, res) => {
      const done = ++polls > 2;
      if (done) disks.set(id, { status: 'ok', free: '953870' });
      res.end(
        `<formatStatus ${XMLNS}><formating>${!done}</formating><percent>${done ? 100 : polls * 40}</percent></formatStatus>`,
      );
    });
  }
});
afterEach(async () => {
  close();
  await scripted.stop();
});
const at = async () => {
  const all = await connected(scripted, port, [storage]);
  close = all.close;
  return all;
};

it('formats what is new, and nothing that may hold data (INIT-14)', async () => {
  const statuses = [
    'ok',
    'error',
    'idle',
    'mismatch',
    'offline',
    'smartFailed',
    'unknown',
    'abnormal',
    '',
    'repairing',
    'formatted',
    'Unformatted2',
    'notexist',
  ];
  for (const [i, status] of statuses.entries()) disks.set(i + 1, { status, free: '953870' });
  disks.set(14, { status: 'ok', free: '1000' });
  disks.set(15, { status: 'unformatted', free: '953869' });
  disks.set(16, { status: 'unformatted', capacity: '', free: '12' });
  disks.set(17, { status: 'unformatted', property: 'R' });
  disks.set(18, { status: 'unformatted', free: '0' });
  disks.set(19, { status: 'Uninitialized' });
  disks.set(20, { status: 'uninitialised', free: '953870' });
  nas = '<nas><id>1</id><status>unformatted</status><capacity>100</capacity></nas>';
  const { device } = await at();
  const percents: [string, number][] = [];
  const done = await initialiseNewDisks(device, (disk, percent) => percents.push([disk, percent]));
  expect(formatted).toEqual([18, 19, 20]);
  if (!done.ok) throw new Error(done.text);
  expect(done.value.filter((d) => d.result === 'formatted').map((d) => d.disk)).toEqual(['hdd18', 'hdd19', 'hdd20']);
  expect(done.value.filter((d) => d.result === 'kept')).toHaveLength(18);
  expect(percents.filter(([disk]) => disk === 'hdd18')).toEqual([
    ['hdd18', 40],
    ['hdd18', 80],
    ['hdd18', 100],
  ]);
});

it('a disk that is not new any more when its turn comes is left alone (INIT-14)', async () => {
  disks.set(1, { status: 'unformatted' });
  disks.set(2, { status: 'unformatted' });
  const { device } = await at();
  // Somebody at the recorder's own screen was faster with the second one.
  scripted.routes.set('/ISAPI/ContentMgmt/Storage/hdd/1/format', (_req, res) => {
    formatted.push(1);
    disks.set(1, { status: 'ok' });
    disks.set(2, { status: 'ok', free: '900000' });
    scripted.status(res, 200, 1, 'ok');
  });
  await initialiseNewDisks(device, () => {});
  expect(formatted).toEqual([1]);
});

it('one that stays unformatted is reported, not waited for without end', async () => {
  disks.set(1, { status: 'unformatted' });
  const { device } = await at();
  scripted.routes.delete('/ISAPI/ContentMgmt/Storage/hdd/1/formatStatus');
  const done = await initialiseNewDisks(device, () => {});
  expect(done).toMatchObject({ ok: true, value: [{ disk: 'hdd1', result: 'failed' }] });
});

it('a person formats any disk, after entering its name', async () => {
  disks.set(1, { status: 'ok', free: '1000' });
  const { features } = await at();
  expect(await features.list('disks', {})).toMatchObject({
    ok: true,
    value: [{ id: 'hdd1', name: 'hdd1', values: { status: 'ok', capacityMb: 953870, freeMb: 1000, isNew: false } }],
  });
  const format = (confirm: string) => features.act({ action: 'diskFormat', disk: 'hdd1', confirm });
  expect(await format('hdd2')).toMatchObject({ ok: false, code: 'invalid-request' });
  expect(formatted).toEqual([]);
  expect(await format('hdd1')).toMatchObject({ ok: true, value: { pending: true } });
  expect(formatted).toEqual([1]);
});

it('the rule itself, for what no list of statuses names (INIT-14)', () => {
  const disk = {
    id: '1',
    name: 'x',
    kind: 'hdd',
    status: 'unformatted',
    type: 'SATA',
    capacityMb: 100,
    freeMb: null,
    property: 'RW',
  } as const;
  expect(isSurelyEmpty(disk)).toBe(true);
  expect(isSurelyEmpty({ ...disk, kind: 'nas' })).toBe(false);
  expect(isSurelyEmpty({ ...disk, freeMb: 99 })).toBe(false);
  expect(isSurelyEmpty({ ...disk, capacityMb: null, freeMb: 99 })).toBe(false);
  expect(isSurelyEmpty({ ...disk, status: 'unformattedok' })).toBe(false);
});
