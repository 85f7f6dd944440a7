import { describe, expect, it } from 'vitest';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { alertPart } from '../isapi/testing/alerts.ts';
import { box, camera, config, until } from './testing/box.ts';

describe('a device', () => {
  it('comes online, says what it is, and its events are in the journal', async () => {
    const { device, port } = await camera({ rtspPort: 10554 });
    const { start } = box();
    const b = start();
    const item = config(port);
    expect(b.manager.apply([item])).toEqual([]);
    await until(() => device.streams.size === 1);
    expect(b.manager.health()).toMatchObject([
      {
        id: item.id,
        state: 'online',
        model: 'DS-2CD2386G2-IU',
        firmware: 'V5.7.15 build 240201',
        channels: [{ channel: 1, name: 'Door & yard' }],
      },
    ]);
    expect(b.manager.channels()).toMatchObject([
      {
        deviceId: item.id,
        channel: 1,
        rtspUrl: 'rtsp://127.0.0.1:10554/Streaming/Channels/101',
        username: 'admin',
        password: 'Correct-1',
      },
    ]);
    device.say(alertPart('videoloss', 'inactive'));
    device.say(alertPart('linedetection', 'active', '<UUID>u-1</UUID><dateTime>2026-05-18T20:21:00+02:00</dateTime>'));
    device.say(alertPart('linedetection', 'inactive'));
    await until(() => b.records().length === 2);
    expect(b.records()).toMatchObject([
      {
        kind: 'event',
        body: {
          type: 'lineCrossing',
          deviceId: item.id,
          channel: 1,
          occurredAt: '2026-06-01T00:00:00.000Z',
          deviceTime: '2026-05-18T20:21:00+02:00',
          sourceRef: 'u-1',
        },
      },
      { kind: 'eventEnd' },
    ]);
    expect(b.codes()).toEqual([]);
  });

  it('has each of its five events a second as an event of its own, in order', async () => {
    const { device, port } = await camera();
    const b = box().start();
    b.manager.apply([config(port)]);
    await until(() => device.streams.size === 1);
    for (let i = 0; i < 60; i++) {
      device.say(alertPart('VMD', 'active', `<UUID>u-${i}</UUID><activePostCount>1</activePostCount>`));
      device.say(alertPart('VMD', 'inactive', `<UUID>u-${i}</UUID><activePostCount>0</activePostCount>`));
    }
    await until(() => b.records().length === 120);
    const refs = b.records().flatMap((r) => (r.kind === 'event' ? [r.body.sourceRef] : []));
    expect(refs).toEqual(Array.from({ length: 60 }, (_, i) => `u-${i}`));
  });

  it('is renamed without being disturbed, and leaves nothing behind when it goes', async () => {
    const { device, port } = await camera();
    const b = box().start();
    const item = config(port);
    b.manager.apply([item]);
    await until(() => device.streams.size === 1);
    const requests = device.seen.length;
    b.manager.apply([{ ...item, name: 'Back door' }]);
    device.say(alertPart('VMD'));
    await until(() => b.records().length === 1);
    expect(device.seen.length).toBe(requests);
    b.manager.apply([]);
    await until(() => device.streams.size === 0);
    await until(() => b.kinds().at(-1) === 'eventEnd');
    expect(b.manager.health()).toEqual([]);
    expect(b.manager.channels()).toEqual([]);
    expect(b.codes()).toEqual([]);
  });

  it('that is wrong in the list holds up no other', async () => {
    const { device, port } = await camera();
    const b = box().start();
    const good = config(port);
    const far = config(port, { host: '192.168.1.64' });
    const none = config(port, { host: 'a\0b' });
    expect(b.manager.apply([far, none, good, good])).toMatchObject([
      { id: far.id, code: 'not-allowed' },
      { id: none.id, code: 'address-invalid' },
      { id: good.id, code: 'duplicate' },
    ]);
    await until(() => device.streams.size === 1);
  });

  it('gives a snapshot, or says why not', async () => {
    const { device, port } = await camera();
    device.routes.set('/ISAPI/Streaming/channels/101/picture', (_req, res) => res.end(Buffer.from([0xff, 0xd8, 1])));
    const b = box().start();
    const item = config(port);
    b.manager.apply([item]);
    await until(() => device.streams.size === 1);
    const shot = (id: string, channel: number) => b.manager.operate(id, (driver) => driver.snapshot(channel));
    expect(await shot(item.id, 1)).toMatchObject({ ok: true, value: Buffer.from([0xff, 0xd8, 1]) });
    expect(await shot(item.id, 7)).toMatchObject({ ok: false });
    expect(await shot(uuidv7(), 1)).toMatchObject({ ok: false, code: 'not-found' });
  });

  it('that gives no events is online all the same, and a person is told', async () => {
    const { device, port } = await camera();
    device.routes.set('/ISAPI/Event/notification/alertStream', (_req, res) =>
      device.status(res, 503, 2, 'maxSessionUserLink'),
    );
    const b = box().start();
    b.manager.apply([config(port)]);
    await until(() => b.codes().includes('device-no-events'));
    expect(b.state()).toBe('online');
  });
});

describe('a device whose events cannot be read', () => {
  it('stays online, its other events are taken, and a person is told for ten minutes', async () => {
    const { device, port } = await camera();
    const { clock, start } = box();
    const b = start();
    b.manager.apply([config(port)]);
    await until(() => device.streams.size === 1);
    device.say(
      '--boundary\r\nContent-Type: application/xml\r\n\r\n<EventNotificationAlert><a></EventNotificationAlert>\r\n',
    );
    device.say(alertPart('VMD'));
    await until(() => b.kinds().includes('motion'));
    expect(b.codes()).toContain('device-events-unreadable');
    expect(b.state()).toBe('online');
    await clock.advance(600_000);
    expect(b.codes()).not.toContain('device-events-unreadable');
  });
});

describe('a restart', () => {
  it('in the middle of an event makes no second one of it, and ends what is over', async () => {
    const { device, port } = await camera();
    const { clock, start } = box();
    const item = config(port);
    const first = start();
    first.manager.apply([item]);
    await until(() => device.streams.size === 1);
    device.say(alertPart('VMD', 'active', '<UUID>u-1</UUID><activePostCount>1</activePostCount>'));
    device.say(alertPart('linedetection', 'active', '<UUID>u-2</UUID><activePostCount>1</activePostCount>'));
    await until(() => first.records().length === 2);
    await first.stop();
    await until(() => device.streams.size === 0);
    const second = start();
    second.manager.apply([item]);
    await until(() => device.streams.size === 1);
    device.say(alertPart('VMD', 'active', '<UUID>u-1</UUID><activePostCount>3</activePostCount>'));
    device.say(alertPart('fielddetection', 'active', '<UUID>u-3</UUID>'));
    await until(() => second.records().length === 3);
    await clock.advance(5_000);
    await until(() => second.records().length === 6);
    expect(second.kinds()).toEqual(['motion', 'lineCrossing', 'intrusion', 'eventEnd', 'eventEnd', 'eventEnd']);
  });
});

describe('a probe', () => {
  const request = (httpPort: number, password = 'Correct-1') => ({
    host: '127.0.0.1',
    httpPort,
    username: 'admin',
    password,
  });

  it('says what is there', async () => {
    const { port } = await camera();
    const b = box().start();
    expect(await b.manager.probe(request(port))).toEqual({
      ok: true,
      result: {
        kind: 'isapi',
        model: 'DS-2CD2386G2-IU',
        serial: 'DS-2CD2386G2-IU20230412AAWRL11223344',
        mac: '44-19-b6-01-02-03',
        firmware: 'V5.7.15 build 240201',
        deviceType: 'IPCamera',
        httpPort: port,
        channels: [{ channel: 1, name: 'Door & yard' }],
      },
    });
  });

  it('is one login, and never goes beyond what this box may reach', async () => {
    const { device, port } = await camera();
    const b = box().start();
    expect(await b.manager.probe(request(port, 'wrong'))).toMatchObject({ ok: false, code: 'device-refused-login' });
    expect(device.wrongLogins).toBe(1);
    const requests = device.seen.length;
    expect(await b.manager.probe({ ...request(port), host: '10.0.0.1' })).toMatchObject({ ok: false });
    await device.stop();
    expect(await b.manager.probe(request(port))).toMatchObject({ ok: false, code: 'device-unreachable' });
    expect(device.seen.length).toBe(requests);
  });
});
