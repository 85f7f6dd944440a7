import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_COMPAT_CSV } from '../../protocol/wire/compat.ts';
import { type Call, type Company, TestRelay } from '../testing/relay.ts';

const relay = new TestRelay();
let acme: Company;
let operator: Call;
const models = async (query: string) =>
  (await acme.api('GET', `/compatibility?${query}`)).body.items.map((row: { model: string }) => row.model);

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  operator = await relay.operator();
});
afterAll(() => relay.stop());

describe('the compatibility list', () => {
  it('is searched and filtered, page by page, with what each model allows (CLOUD-13, PLAT-25)', async () => {
    const { items, nextCursor } = (await acme.api('GET', '/compatibility?list=cloud-nvr&limit=5')).body;
    expect(items).toHaveLength(5);
    const all: string[] = [];
    for (let cursor = ''; ; ) {
      const page = (await acme.api('GET', `/compatibility?list=cloud-nvr&limit=5${cursor && `&cursor=${cursor}`}`))
        .body;
      if (cursor === nextCursor) expect(page.items[0].model > items[4].model).toBe(true);
      all.push(...page.items.map((row: { model: string }) => row.model));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(all).toEqual([...new Set(all)].sort());
    expect(all).toHaveLength(18);
    expect(await models('q=7608ni-k1%20recorder&list=cloud-nvr')).toEqual([
      ...['DS-7608NI-K1(C)', 'DS-7608NI-K1(D)', 'DS-7608NI-K1/8P(C)'],
    ]);
    expect(await models('channels=2&q=(d)')).toEqual([]);
    expect(await models('channels=1&height=2160&kbps=5120&q=(d)')).toEqual(['DS-7604NI-K1/4P(D)', 'DS-7608NI-K1(D)']);
    expect(await models('kbps=5121')).toEqual([]);
    expect((await acme.api('GET', '/compatibility?cursor=x')).status).toBe(400);
    const [row] = (await acme.api('GET', '/compatibility?q=DS-7716NI-K4/16P')).body.items;
    expect(row).toMatchObject({
      firmware: 'V4.72.107',
      maxChannels: 2,
      maxWidth: 4096,
      maxHeight: 2160,
      maxKbps: 5120,
    });
  });

  it('has tabs, also one of brands with what else a model does (BOX-16, PLAT-26, PLAT-27)', async () => {
    const summary = (await acme.api('GET', '/compatibility/summary')).body;
    expect(summary).toMatchObject({ counts: { 'cloud-nvr': 18, 'co-branding': 8, box: 0 }, changedAt: null });
    const [row] = (await acme.api('GET', '/compatibility?list=co-branding&limit=1')).body.items;
    expect(row).toMatchObject({ maxChannels: null, features: { coBranding: true, arc: false, video: true } });
  });

  it('is downloaded, edited, and put back whole by the operator alone', async () => {
    const file: string = (await acme.api('GET', '/compatibility/export?list=cloud-nvr')).body;
    expect(file.split('\r\n')).toHaveLength(20);
    const every: string = (await acme.api('GET', '/compatibility/export')).body;
    const csv = `${every}cloud-camera,Camera,"A, ""B""",'=CAM-1,V1.0,1,1920,1080,2048,yes,,no,,,,,Solar; only motion\r\n`;
    expect((await acme.api('PUT', '/operator/compatibility', { csv })).status).toBe(404);
    const put = await operator('PUT', '/operator/compatibility', { csv });
    expect(put).toMatchObject({ status: 200, body: { rows: 27, added: 1, removed: 0 } });
    const [row] = (await acme.api('GET', '/compatibility?list=cloud-camera')).body.items;
    expect(row).toMatchObject({
      series: 'A, "B"',
      model: '=CAM-1',
      features: { video: true, remoteConfiguration: false },
    });
    expect((await acme.api('GET', '/compatibility/summary')).body.changedAt).not.toBeNull();
    const again: string = (await acme.api('GET', '/compatibility/export')).body;
    expect((await operator('PUT', '/operator/compatibility', { csv: again })).body).toMatchObject({
      added: 0,
      removed: 0,
    });
    const semicolons = 'model;list;deviceType\nX1;box;Camera\n';
    expect((await operator('PUT', '/operator/compatibility', { csv: semicolons })).body).toEqual({
      rows: 1,
      added: 1,
      removed: 27,
    });
  });

  it('is not changed by a file with a wrong line, which is told', async () => {
    const head = 'list,deviceType,model,maxChannels,arc\n';
    for (const [csv, said] of [
      [`${head}box,Camera,A,two,\n`, 'Line 2'],
      [`${head}box,Camera,A,2,\nbox,Camera,a,3,\n`, 'Line 3: a stands here twice'],
      [`${head}box,Camera,A,2,perhaps\n`, '“arc” is “yes”'],
      [`${head}nowhere,Camera,A,2,\n`, '“list”'],
      [`${head}box,Camera,"A,2,\n`, 'not closed'],
      ['model,deviceType\nA,B\n', 'no column “list”'],
      [head, 'no row'],
    ] as const) {
      const answer = await operator('PUT', '/operator/compatibility', { csv });
      expect(answer.status, csv).toBe(400);
      expect(answer.body.detail).toContain(said);
    }
    expect((await operator('PUT', '/operator/compatibility', { csv: 'x'.repeat(MAX_COMPAT_CSV + 1) })).status).toBe(
      400,
    );
    expect((await acme.api('GET', '/compatibility')).body.items).toHaveLength(1);
  });
});
