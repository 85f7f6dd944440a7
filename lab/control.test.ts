import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLab, type TestLab } from './testing/start-lab.ts';

let lab: TestLab;
beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => lab.stop());

describe('control API', () => {
  it.each([
    ['/devices/camera-9/events', { type: 'motion' }, 404, 'there are camera-1, camera-2'],
    ['/devices/camera-1/events', { type: 'sunrise' }, 400, 'lineCrossing'],
    ['/devices/camera-1/events', { type: 'motion', active: 'yes' }, 400, 'active'],
    ['/devices/camera-1/video', { mode: 'stall' }, 409, 'without video'],
    ['/devices/camera-1/inject', { base64: '%' }, 400, 'base64'],
    ['/faults', { target: 'arc-direct', mode: 'haunted' }, 400, 'blackhole'],
    ['/faults', { target: 'box-relay', mode: 'reset' }, 409, '--relay'],
    ['/nothing', {}, 404, 'POST /nothing'],
  ])('POST %s %j is refused with a reason', async (path, body, status, reason) => {
    const answer = await lab.post(path, body);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(reason);
  });

  it('refuses what is not JSON, and pages of other hosts', async () => {
    const bad = await fetch(`${lab.ready.control}/faults`, { method: 'POST', body: '{' });
    expect([bad.status, await bad.json()]).toEqual([400, { error: 'the body is not JSON' }]);
    const status = await new Promise((resolve) =>
      request(lab.ready.control, { headers: { host: 'evil.example' } }, (r) => resolve(r.resume().statusCode)).end(),
    );
    expect(status).toBe(403);
  });

  it('gives current faults', async () => {
    expect((await lab.post('/faults', { target: 'arc-relay', mode: 'slow' })).body).toEqual({
      target: 'arc-relay',
      mode: 'slow',
    });
    const { targets } = (await lab.get('/faults')).body;
    expect([targets['arc-direct'].mode, targets['arc-relay'].mode]).toEqual(['none', 'slow']);
    await lab.post('/faults', { target: 'arc-relay', mode: 'none' });
  });
});
