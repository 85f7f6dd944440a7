import type { MakePart } from '../../devices/device.ts';
import { OK, refusal, statusXml } from '../answer.ts';
import { XML_HEAD } from '../xml.ts';

/**
 * Firmware upgrade (isapi §14). A package of the lab is a text `GATEPOST-LAB-FIRMWARE {model|*} {version} {build} …`, with
 * anything behind it; real ones are opaque.
 */
export const PACKAGE = /GATEPOST-LAB-FIRMWARE (\S+) (V[\d.]+) (\d{6})/;

export const firmware: MakePart = (device) => {
  const { profile: p } = device;
  const upgradeMs = { total: 3000 };
  let running: { from: number; version: string; build: string; cut: boolean } | null = null;
  let broken = false;
  let uploads = 0;
  let timer: NodeJS.Timeout | null = null;

  const begin = (body: Buffer): string | null => {
    if (running) return 'upgrading';
    uploads++;
    const found = PACKAGE.exec(body.subarray(0, 65_536).toString('latin1'));
    if (!found) return 'fileError';
    const [, model, version, number] = found as unknown as [string, string, string, string];
    if (model !== '*' && !p.model.startsWith(model)) return 'badDevType';
    running = { from: Date.now(), version, build: `build ${number}`, cut: false };
    broken = false;
    timer = setTimeout(() => {
      if (!running || running.cut) return;
      Object.assign(p, { firmware: running.version, build: running.build });
      running = null;
      device.restart(500);
    }, upgradeMs.total);
    return null;
  };

  return {
    state: () => ({
      firmware: `${p.firmware} ${p.build}`,
      upgrading: running !== null,
      uploads,
      firmwareBroken: broken,
    }),
    stop: () => {
      if (timer) clearTimeout(timer);
    },
    control: {
      upgradeSeconds: (body) => {
        upgradeMs.total = Number(body.seconds) * 1000;
        return { seconds: upgradeMs.total / 1000 };
      },
      /** Off while it writes its flash: the old firmware stays, and it says so. */
      powerCut: async (body) => {
        if (timer) clearTimeout(timer);
        broken = running !== null;
        running = null;
        await device.power(false);
        setTimeout(() => void device.power(true), Number(body.seconds ?? 2) * 1000).unref();
        return { duringUpgrade: broken };
      },
    },
    answer: ({ method, path, body, url, raw }) => {
      const said = (sub: string | null) => {
        const what = sub ? refusal(sub) : OK;
        return { status: what.http, body: statusXml(url, what, '', p.odd.errorCodes) };
      };
      if (path === '/System/updateFirmware') {
        // Old firmware takes PUT only, intercoms a form.
        const wants = p.odd.errorsWith200 ? ['PUT'] : ['POST', 'PUT'];
        if (!wants.includes(method)) return said('methodNotAllowed');
        const form = /multipart\/form-data/.test(raw.headers['content-type'] ?? '');
        const intercom = p.kind.startsWith('door') || p.kind === 'indoor-station';
        if (intercom && !form) return said('badParameters');
        return said(begin(body));
      }
      if (path === '/System/upgradeStatus' && method === 'GET') {
        const percent = running ? Math.min(100, Math.floor(((Date.now() - running.from) / upgradeMs.total) * 100)) : 0;
        return {
          status: 200,
          body: `${XML_HEAD}<upgradeStatus version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">\n<upgrading>${running !== null}</upgrading>\n<percent>${percent}</percent>\n</upgradeStatus>\n`,
        };
      }
      return null;
    },
  };
};
