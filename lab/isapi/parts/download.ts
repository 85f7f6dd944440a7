import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { ProgramStream } from '../../camera/program-stream.ts';
import type { Recorded } from '../../camera/recordings.ts';
import type { MakePart } from '../../devices/device.ts';
import { refusal, statusXml } from '../answer.ts';
import { type Asked, read } from '../server.ts';
import { parseXml, textOf } from '../xml.ts';

/** How firmware differs: which verb it takes, to whom it gives no file, and one that only says that it has the function. */
const WAYS = ['get', 'post', 'either', 'forbidden', 'none', 'breaks'] as const;
type Way = (typeof WAYS)[number];

/** Files as they lie on the disk (isapi §12): `ContentMgmt/download`, whole files by name and size alone. */
export const download: MakePart = (device) => {
  const { profile: p, recordings: kept } = device;
  let way: Way = p.odd.time === 'falseZ' ? 'post' : 'get';
  let taken = 0;
  let running = 0;

  const send = async (response: ServerResponse, file: Recorded): Promise<void> => {
    const { name, fps, keyFrameMs, kbps } = p;
    const stream = new ProgramStream(kept.codec);
    const config = {
      name,
      fps,
      keyFrameMs,
      kbps,
      codec: kept.codec,
      keysOnly: false,
      spans: [[file.fromMs, file.toMs]],
    };
    const script = `${import.meta.dirname}/../../camera/recorded.py`;
    const child = spawn(kept.python!, ['-B', script, JSON.stringify(config)], { stdio: ['ignore', 'pipe', 'inherit'] });
    child.on('error', () => response.destroy());
    response.on('close', () => child.kill('SIGKILL'));
    response.writeHead(200, { 'Content-Type': 'application/octet-stream', Connection: 'close' });
    response.write(stream.header());
    let rest = Buffer.alloc(0);
    let sent = 0;
    for await (const chunk of child.stdout) {
      rest = Buffer.concat([rest, chunk as Buffer]);
      while (rest.length >= 13 && rest.length >= 13 + rest.readUInt32BE(9)) {
        const end = 13 + rest.readUInt32BE(9);
        const picture = { ms: Number(rest.readBigUInt64BE(0)), keyFrame: rest[8] === 1, data: rest.subarray(13, end) };
        if (response.destroyed) return;
        if (!response.write(stream.picture(picture)))
          await Promise.race([once(response, 'drain'), once(response, 'close')]);
        rest = rest.subarray(end);
        if (way === 'breaks' && ++sent > 50) return void response.destroy();
      }
    }
    response.end(stream.end());
  };

  const answer = async (asked: Asked, response: ServerResponse): Promise<void> => {
    const said = (sub: string) => {
      const what = refusal(sub);
      const body = statusXml(asked.url, what, '', p.odd.errorCodes);
      response.writeHead(p.odd.errorsWith200 ? 200 : what.http, { 'Content-Type': p.odd.xmlContentType });
      response.end(body);
    };
    const body = (await read(asked.raw)).toString('utf8', 0, 8192);
    const verb = way === 'post' ? 'POST' : 'GET';
    if (way === 'none' || kept.python === null) return said('notSupport');
    if (way === 'forbidden') return said('lowPrivilege');
    if (way !== 'either' && asked.method !== verb) return said('methodNotAllowed');
    const request = parseXml(body);
    if (request?.name !== 'downloadRequest') return said('badXmlFormat');
    const uri = textOf(request, 'playbackURI') ?? '';
    const query = new URLSearchParams(uri.split('?')[1] ?? '');
    // By its times alone it finds none.
    if (!query.get('name') || !Number(query.get('size'))) return said('badParameters');
    const [from, to] = [kept.read(query.get('starttime') ?? ''), kept.read(query.get('endtime') ?? '')];
    const file = Number.isNaN(from + to)
      ? undefined
      : kept.between(from, to).find((f) => Math.abs(f.fromMs - from) < 1000);
    if (!file) return said('invalidID');
    taken++;
    running++;
    try {
      await send(response, file);
    } finally {
      running--;
    }
  };

  return {
    state: () => ({ downloads: taken, downloading: running }),
    control: {
      /** `way`: one of {@link WAYS}. */
      download: (body) => {
        way = WAYS.find((one) => one === body.way) ?? way;
        taken = 0;
        return { way };
      },
    },
    take: (asked, response) => {
      if (asked.path !== '/ContentMgmt/download') return false;
      void answer(asked, response).catch(() => response.destroy());
      return true;
    },
  };
};
