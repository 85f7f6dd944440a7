import { describe, expect, it } from 'vitest';
import { box, camera, config, pass, until } from './testing/box.ts';

describe('an absent device', () => {
  it('at the start is tried for ever, at most a minute apart, and is an event only after 60 s', async () => {
    const { device, port } = await camera();
    await device.stop();
    const { clock, start } = box();
    const b = start();
    b.manager.apply([config(port)]);
    await until(() => b.state() === 'offline');
    expect(b.codes()).toEqual(['device-offline']);
    await clock.advance(55_000);
    expect(b.kinds()).toEqual([]);
    await clock.advance(5_000);
    await until(() => b.kinds().length === 1);
    expect(b.records()[0]).toMatchObject({
      body: { type: 'deviceOffline', occurredAt: '2026-06-01T00:00:00.000Z', channel: null },
    });
    for (let i = 0; i < 20; i++) await clock.advance(60_000);
    const back = await camera({}, port);
    await pass(clock, 61, () => back.device.connections > 0);
    await until(() => back.device.streams.size === 1);
    await until(() => b.kinds().at(-1) === 'eventEnd');
    expect(b.kinds()).toEqual(['deviceOffline', 'eventEnd']);
    expect(b.codes()).toEqual([]);
  });

  it('for a moment makes no event, and is listened to again at once', async () => {
    const { device, port } = await camera();
    const { clock, start } = box();
    const b = start();
    b.manager.apply([config(port)]);
    await until(() => device.streams.size === 1);
    for (let i = 0; i < 5; i++) {
      device.cut();
      await until(() => device.streams.size === 0);
      const { connections } = device;
      await pass(clock, 60, () => device.connections > connections);
      await until(() => device.streams.size === 1);
    }
    expect(b.state()).toBe('online');
    await clock.advance(60_000);
    expect(b.kinds()).toEqual([]);
  });

  it('that closes its stream in good order after a while is listened to again without a pause', async () => {
    const { device, port } = await camera();
    const { clock, start } = box();
    start().manager.apply([config(port)]);
    await until(() => device.streams.size === 1);
    await clock.advance(40_000);
    const [old] = device.streams;
    old!.end();
    await until(() => device.streams.size === 1 && !device.streams.has(old!));
  });

  it('is followed to another address by its MAC', async () => {
    const { device, port } = await camera();
    const { lan, clock, start } = box();
    const b = start();
    b.manager.apply([config(port)]);
    await until(() => device.streams.size === 1);
    await device.stop();
    await until(() => b.state() !== 'online');
    const moved = await camera({}, 0, '127.0.3.7');
    await clock.advance(1_000);
    lan.set([{ mac: '44-19-b6-01-02-03', serial: 'x', address: '127.0.3.7', httpPort: moved.port }]);
    await until(() => moved.device.streams.size === 1);
    expect(b.manager.channels()[0]?.rtspUrl).toContain('rtsp://127.0.3.7:');
  });
});

describe('another device at the address', () => {
  it('gets no more credentials once it said who it is; the right one is taken up when it is found', async () => {
    const { device, port } = await camera({ serial: 'DS-2CD2020AAWR000000001', mac: '44:19:b6:00:00:09' });
    const { lan, clock, start } = box();
    const b = start();
    b.manager.apply([config(port, { serial: 'DS-2CD2386G2-IU20230412AAWRL11223344' })]);
    await until(() => b.codes().includes('device-replaced'));
    const requests = device.seen.length;
    for (let i = 0; i < 20; i++) await clock.advance(60_000);
    expect(device.seen.length).toBe(requests);
    expect(b.warnables.list()[0]?.text).toContain('DS-2CD2020AAWR000000001');
    const right = await camera({}, 0, '127.0.3.8');
    lan.set([
      {
        mac: '44-19-b6-01-02-03',
        serial: 'DS-2CD2386G2-IU20230412AAWRL11223344',
        address: '127.0.3.8',
        httpPort: right.port,
      },
    ]);
    await until(() => right.device.streams.size === 1);
    expect(b.codes()).toEqual([]);
  });

  it('gets none at all when the search already knows it', async () => {
    const { device, port } = await camera();
    const { lan, start } = box();
    lan.set([{ mac: '44-19-b6-00-00-09', serial: 'DS-OTHER00000001', address: '127.0.0.1', httpPort: port }]);
    const b = start();
    b.manager.apply([config(port)]);
    await until(() => b.codes().includes('device-replaced'));
    expect(device.seen).toEqual([]);
  });
});
