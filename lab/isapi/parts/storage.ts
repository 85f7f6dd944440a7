import type { MakePart } from '../../devices/device.ts';
import { isRecorder } from '../../devices/profile.ts';
import { OK, refusal, statusXml } from '../answer.ts';
import { XML_HEAD } from '../xml.ts';

interface Disk {
  id: number;
  name: string;
  type: string;
  status: string;
  capacity: number;
  freeSpace: number;
  formatsUntil: number;
  formatted: number;
}

/** Disks and formatting (isapi §14): one that holds data, one as it came from the shop. */
export const storage: MakePart = (device) => {
  const { profile: p } = device;
  const ns = `version="2.0" xmlns="${p.odd.namespace}"`;
  const recorder = isRecorder(p.kind);
  const blank = { formatsUntil: 0, formatted: 0 };
  const disks: Disk[] = recorder
    ? [
        { ...blank, id: 1, name: 'hdd1', type: 'SATA', status: 'ok', capacity: 3815447, freeSpace: 1204224 },
        { ...blank, id: 2, name: 'hdd2', type: 'SATA', status: 'unformatted', capacity: 3815447, freeSpace: 0 },
      ]
    : [
        // Of a new camera the card is new, too.
        {
          ...blank,
          id: 1,
          name: 'hdd1',
          type: 'SD',
          capacity: 119276,
          ...(p.kind === 'camera' && p.password !== null
            ? { status: 'ok', freeSpace: 20480 }
            : { status: 'unformatted', freeSpace: 0 }),
        },
      ];
  const formatMs = 1500;
  const percent = (disk: Disk) =>
    disk.formatsUntil === 0
      ? 100
      : Math.min(100, Math.round(100 - ((disk.formatsUntil - Date.now()) / formatMs) * 100));
  const settle = () => {
    for (const disk of disks)
      if (disk.formatsUntil && Date.now() >= disk.formatsUntil)
        Object.assign(disk, { formatsUntil: 0, status: 'ok', freeSpace: disk.capacity, formatted: disk.formatted + 1 });
  };
  const xml = (d: Disk) => `<hdd>
<id>${d.id}</id><hddName>${d.name}</hddName><hddPath></hddPath><hddType>${d.type}</hddType>
<status>${d.formatsUntil ? 'formating' : d.status}</status><capacity>${d.capacity}</capacity><freeSpace>${d.freeSpace}</freeSpace>
<property>RW</property><formatType>EXT4</formatType>
</hdd>`;
  return {
    state: () => {
      settle();
      return { disks: disks.map(({ formatsUntil: _, ...disk }) => disk) };
    },
    control: {
      /** A new disk, a full one, a broken one. */
      disk: (body) => {
        const disk = disks.find((d) => d.id === Number(body.id ?? 1));
        if (!disk) return { error: 'there is no such disk' };
        for (const key of ['status', 'capacity', 'freeSpace'] as const)
          if (body[key] !== undefined) Object.assign(disk, { [key]: body[key] });
        return disk;
      },
    },
    answer: ({ method, path, url }) => {
      if (!path.startsWith('/ContentMgmt/Storage')) return null;
      settle();
      const said = (sub: string | null) => {
        const what = sub ? refusal(sub) : OK;
        return { status: what.http, body: statusXml(url, what, '', p.odd.errorCodes) };
      };
      const size = p.odd.listsSayEmpty ? ' size="0"' : '';
      const list = `<hddList${size}>\n${disks.map(xml).join('\n')}\n</hddList>`;
      if (path === '/ContentMgmt/Storage' && method === 'GET')
        return {
          status: 200,
          body: `${XML_HEAD}<storage ${ns}>\n${list}\n<nasList size="0"></nasList>\n<workMode>quota</workMode>\n</storage>\n`,
        };
      if (path === '/ContentMgmt/Storage/hdd' && method === 'GET')
        return { status: 200, body: `${XML_HEAD}${list.replace('<hddList', `<hddList ${ns}`)}\n` };
      const [, id, verb] = /^\/ContentMgmt\/Storage\/hdd\/(\d+)(?:\/(\w+(?:\/\w+)?))?$/.exec(path) ?? [];
      const disk = disks.find((d) => d.id === Number(id));
      if (!id) return null;
      if (!disk) return said('invalidID');
      if (verb === undefined && method === 'GET') return { status: 200, body: `${XML_HEAD}${xml(disk)}\n` };
      if (verb === 'format' && method === 'PUT') {
        if (disks.some((d) => d.formatsUntil)) return said('formatting');
        if (disk.status === 'error') return said('diskError');
        disk.formatsUntil = Date.now() + formatMs;
        return said(null);
      }
      if (verb === 'formatStatus' && method === 'GET')
        return {
          status: 200,
          // Element names of this one were not captured.
          body: `${XML_HEAD}<formatStatus ${ns}><formating>${disk.formatsUntil > 0}</formating><percent>${percent(disk)}</percent></formatStatus>\n`,
        };
      if (verb === 'SMARTTest/status' && method === 'GET')
        return {
          status: 200,
          body: `${XML_HEAD}<SMARTTest ${ns}><id>${disk.id}</id><temprature>40</temprature><powerOnDay>23</powerOnDay><selfEvaluaingStatus>ok</selfEvaluaingStatus><allEvaluaingStatus>functional</allEvaluaingStatus><selfTestPercent>0</selfTestPercent><selfTestStatus>ok</selfTestStatus></SMARTTest>\n`,
        };
      return said('methodNotAllowed');
    },
  };
};
