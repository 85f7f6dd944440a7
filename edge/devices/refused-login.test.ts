import { describe, expect, it } from 'vitest';
import { alertPart } from '../isapi/testing/alerts.ts';
import { box, camera, config, until } from './testing/box.ts';

describe('a wrong password', () => {
  it('is tried exactly once; nothing more for hours, until a person enters another', async () => {
    const { device, port } = await camera();
    const { clock, start } = box();
    const b = start();
    const item = config(port, { password: 'wrong' });
    b.manager.apply([item]);
    await until(() => b.state() === 'refused');
    expect(device.wrongLogins).toBe(1);
    const requests = device.seen.length;
    for (let i = 0; i < 60; i++) await clock.advance(180_000);
    b.manager.apply([item]);
    b.manager.apply([{ ...item, name: 'Gate' }]);
    await clock.advance(600_000);
    expect(await b.manager.operate(item.id, (driver) => driver.snapshot(1))).toMatchObject({ ok: false });
    expect(device.seen.length).toBe(requests);
    expect(b.warnables.list()).toMatchObject([
      {
        code: 'device-login-refused',
        severity: 'error',
        text: expect.stringMatching(/Entrance.*4 tries.*Enter the right/),
      },
    ]);

    b.manager.apply([{ ...item, password: 'Correct-1', credentialVersion: 2 }]);
    await until(() => device.streams.size === 1);
    expect(device.wrongLogins).toBe(1);
    expect(b.codes()).toEqual([]);
  });

  it('is not tried again after restarts', async () => {
    const { device, port } = await camera();
    const { start } = box();
    const item = config(port, { password: 'wrong' });
    for (let i = 0; i < 6; i++) {
      const b = start();
      b.manager.apply([item]);
      await until(() => b.state() === 'refused');
      expect(b.codes()).toEqual(['device-login-refused']);
      await b.stop();
    }
    expect(device.wrongLogins).toBe(1);
    expect(device.script.locked).toBe(false);
    const b = start();
    b.manager.apply([{ ...item, password: 'Correct-1', credentialVersion: 2 }]);
    await until(() => device.streams.size === 1);
  });

  it('found by RTSP stops every new login, and leaves the open stream alone', async () => {
    const { device, port } = await camera();
    const { clock, start } = box();
    const b = start();
    const item = config(port);
    b.manager.apply([item]);
    await until(() => device.streams.size === 1);
    b.manager.channels()[0]!.guard.refuse('rtsp', 'It refused user name or password.');
    expect(b.state()).toBe('refused');
    expect(b.codes()).toEqual(['device-login-refused']);
    device.say(alertPart('VMD'));
    await until(() => b.records().length === 1);
    const requests = device.seen.length;
    device.cut();
    await until(() => device.streams.size === 0);
    await clock.advance(300_000);
    expect(device.seen.length).toBe(requests);
  });

  it('of others has locked the device: one try when the lock is over, none before', async () => {
    const { device, port } = await camera({ locked: true });
    const { clock, start } = box();
    const b = start();
    b.manager.apply([config(port)]);
    await until(() => b.state() === 'locked');
    expect(b.warnables.list()).toMatchObject([{ code: 'device-locked', text: expect.stringContaining('30 min') }]);
    await clock.advance(1_750_000);
    expect(device.seen).toHaveLength(1);
    device.script.locked = false;
    await clock.advance(5_000);
    await until(() => device.streams.size === 1);
    expect(b.codes()).toEqual([]);
    expect(device.wrongLogins).toBe(0);
  });

  it('does not matter to a device that is not activated: it is asked again without credentials', async () => {
    const { device, port } = await camera({ activated: false });
    const { clock, start } = box();
    const b = start();
    b.manager.apply([config(port)]);
    await until(() => b.state() === 'notActivated');
    expect(b.codes()).toEqual(['device-not-activated']);
    device.script.activated = true;
    await clock.advance(60_000);
    await until(() => device.streams.size === 1);
    expect(b.codes()).toEqual([]);
  });
});
