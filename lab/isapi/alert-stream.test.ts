import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call, open } from '../testing/digest-client.ts';
import { startLab, type TestLab } from '../testing/start-lab.ts';

let lab: TestLab;
beforeEach(async () => {
  lab = await startLab();
});
afterEach(() => lab.stop());

async function listen(n: number) {
  const response: IncomingMessage = await open(lab.camera(n), '/ISAPI/Event/notification/alertStream');
  let text = '';
  response.on('data', (chunk) => {
    text += chunk;
  });
  response.on('error', () => {});
  const alerts = () =>
    [...text.matchAll(/<EventNotificationAlert[\s\S]*?<\/EventNotificationAlert>/g)].map(([xml]) => {
      const field = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(xml)?.[1];
      return {
        type: field('eventType'),
        state: field('eventState'),
        count: field('activePostCount'),
        id: field('UUID'),
      };
    });
  const until = async (n: number) => {
    while (alerts().length < n) await new Promise((resolve) => setTimeout(resolve, 10));
    return alerts();
  };
  return { response, until, text: () => text };
}

describe('alertStream', () => {
  it('begins with a heartbeat and delivers an event at once, repeated while active, ended once', async () => {
    const stream = await listen(1);
    await stream.until(1);
    const { body: event } = await lab.post('/devices/camera-1/events', { type: 'motion', active: true });
    await stream.until(3);
    const ended = await lab.post('/devices/camera-1/events', { type: 'motion', active: false });
    expect(ended.body.id).toBe(event.id);
    expect(await stream.until(4)).toEqual([
      { type: 'videoloss', state: 'inactive', count: '0', id: undefined },
      { type: 'VMD', state: 'active', count: '1', id: event.id },
      { type: 'VMD', state: 'active', count: '2', id: event.id },
      { type: 'VMD', state: 'inactive', count: '0', id: event.id },
    ]);
    expect((await lab.get('/emitted')).body.items).toEqual([
      { ...event, device: 'camera-1', type: 'motion', listeners: 1 },
    ]);
    // Without “Notify surveillance centre” it tells nobody of motion; of the rest it does.
    const trigger = '/ISAPI/Event/triggers/VMD-1';
    const was = (await call(lab.camera(1), 'GET', trigger)).text;
    expect((await call(lab.camera(1), 'PUT', trigger, was.replaceAll('center', 'beep'))).status).toBe(200);
    const { body: unheard } = await lab.post('/devices/camera-1/events', { type: 'motion' });
    const { body: line } = await lab.post('/devices/camera-1/events', { type: 'lineCrossing' });
    expect((await stream.until(5))[4]).toMatchObject({ type: 'linedetection', id: line.id });
    expect((await lab.get('/emitted')).body.items[1]).toMatchObject({ id: unheard.id, listeners: 0 });
  });

  it('ends what is active before it begins anew', async () => {
    const stream = await listen(1);
    const first = await lab.post('/devices/camera-1/events', { type: 'intrusion' });
    const second = await lab.post('/devices/camera-1/events', { type: 'intrusion' });
    const alerts = (await stream.until(4)).slice(1);
    expect(alerts.map((a) => [a.state, a.count, a.id])).toEqual([
      ['active', '1', first.body.id],
      ['inactive', '0', first.body.id],
      ['active', '1', second.body.id],
    ]);
  });

  it('has the framing oddities of old firmware, and no end of events', async () => {
    const stream = await listen(2);
    expect(stream.response.headers['content-type']).toBe('multipart/mixed; boundary=--boundary');
    const first = await lab.post('/devices/camera-2/events', { type: 'tamper' });
    const second = await lab.post('/devices/camera-2/events', { type: 'tamper' });
    const alerts = await stream.until(3);
    expect(alerts.slice(1).map((a) => [a.type, a.state, a.id])).toEqual([
      ['tamperdetection', 'active', first.body.id],
      ['tamperdetection', 'active', second.body.id],
    ]);
    expect(stream.text()).toMatch(/^--boundary\r\n--boundary\r\nContent-Type: [^\r]+\r\n\r\n<Event/);
  });

  it('sends what is injected as it is, and keeps events over a restart of the lab', async () => {
    const stream = await listen(1);
    await stream.until(1);
    const garbage = Buffer.from('--boundary\r\nContent-Length: 99999\r\n\r\n<Event');
    const { body } = await lab.post('/devices/camera-1/inject', { base64: garbage.toString('base64') });
    expect(body).toEqual({ streams: 1 });
    while (!stream.text().endsWith('<Event')) await new Promise((resolve) => setTimeout(resolve, 10));
    const { body: event } = await lab.post('/devices/camera-1/events', { type: 'videoLoss' });
    const again = await startLab({ data: lab.data });
    expect((await again.get('/emitted')).body.items.map((e: { id: string }) => e.id)).toEqual([event.id]);
    await again.stop();
  });
});
