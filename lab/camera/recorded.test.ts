import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeClocks } from '../decode-clocks.ts';
import { call } from '../testing/digest-client.ts';
import { startLab, type TestLab } from '../testing/start-lab.ts';

let lab: TestLab;
beforeAll(async () => {
  lab = await startLab({ video: true });
});
afterAll(() => lab.stop());

const search = (n: number, from: string, to: string, position = 0, spelling = 'searchResultPostion') =>
  call(
    lab.camera(n),
    'POST',
    '/ISAPI/ContentMgmt/search',
    `<CMSearchDescription version="1.0"><searchID>1</searchID><trackIDList><trackID>101</trackID></trackIDList>
<timeSpanList><timeSpan><startTime>${from}</startTime><endTime>${to}</endTime></timeSpan></timeSpanList>
<maxResults>40</maxResults><${spelling}>${position}</${spelling}></CMSearchDescription>`,
  );

describe('what a camera has recorded', () => {
  it('is listed in pages, and only with the spelling of the protocol', async () => {
    const from = `${new Date(Date.now() - 86_400_000).toISOString().slice(0, 19)}Z`;
    const to = `${new Date(Date.now()).toISOString().slice(0, 19)}Z`;
    const first = (await search(1, from, to)).text;
    expect(first).toContain('<responseStatusStrg>MORE</responseStatusStrg>');
    expect(first.match(/<searchMatchItem>/g)).toHaveLength(40);
    expect((await search(1, from, to, 40)).text).toContain('<responseStatusStrg>OK</responseStatusStrg>');
    expect((await search(1, from, to, 0, 'searchResultPosition')).text).toContain('badXmlContent');
  });

  it('plays from any moment, with the clock of then, and leaves out what is not there', async () => {
    const start = Math.floor(Date.now() / 1000) * 1000 - 600_000;
    await lab.post('/devices/camera-1/do/recordings', {
      files: [
        { fromMs: start, toMs: start + 1_000 },
        { fromMs: start + 60_000, toMs: start + 61_000 },
      ],
    });
    const label = (ms: number) => `${new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
    const listed = (await search(1, label(start), label(start + 1000))).text;
    const offsetMs = Date.parse(/<startTime>(.*?)</.exec(listed)?.[1] ?? '') - start;
    const { address, rtspPort, username, password } = lab.camera(1);
    const query = `starttime=${label(start + offsetMs)}&endtime=${label(start + offsetMs + 61_000)}`;
    const url = `rtsp://${username}:${password}@${address}:${rtspPort}/Streaming/tracks/101/?${query}`;
    const shown = await decodeClocks(['-rtsp_transport', 'tcp', '-i', url], 40);
    const clocks = shown.map((picture) => picture.clock!);
    expect(clocks[0]).toBe(start);
    expect(clocks.at(-1)! - start).toBeGreaterThan(60_000);
    await lab.post('/devices/camera-1/do/recordings', { files: null });
  });
});
