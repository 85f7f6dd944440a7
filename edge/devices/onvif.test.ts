import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { message } from '../onvif/testing/documents.ts';
import { type Script, SoapCamera } from '../onvif/testing/soap-camera.ts';
import { Warnables } from '../warnables.ts';
import { LoginGuard } from './login-guard.ts';
import { DeviceSession } from './session.ts';
import { box, config, pass } from './testing/box.ts';
import { DeviceWarnings } from './warnings.ts';

/* A device that speaks ONVIF, looked after like any other. */
async function onvif(script: Partial<Script> = {}) {
  const camera = new SoapCamera({ holdMs: 20, ...script });
  const { clock, start } = box();
  camera.now = () => clock.now();
  const port = await camera.start();
  onTestFinished(() => camera.stop());
  const wanted = config(port, { kind: 'onvif', mac: '28-57-be-65-7d-d5', username: 'admin' });
  return { camera, clock, wanted, b: start() };
}

it('comes online with its channels, and its events are recorded and end', async () => {
  const { camera, clock, wanted, b } = await onvif();
  expect(b.manager.apply([wanted])).toEqual([]);
  await pass(clock, 30, () => camera.count('PullMessages') > 0);
  expect(b.state()).toBe('online');
  expect(b.manager.health()[0]).toMatchObject({ model: 'Maker Dome 5', channels: [{ channel: 1, name: 'Yard gate' }] });
  expect(b.manager.channels()[0]).toMatchObject({
    channel: 1,
    rtspUrl: 'rtsp://127.0.0.1:8554/live/main?a=1&proto=Onvif',
    username: 'admin',
  });
  camera.say(
    message('tns1:VideoSource/MotionAlarm', { op: 'Initialized', data: { State: 'true' } }),
    message('tns1:RuleEngine/FieldDetector/ObjectsInside', { data: { IsInside: 'true' } }),
  );
  await pass(clock, 10, () => b.records().length > 0);
  expect(b.kinds()).toEqual(['intrusion']);
  camera.say(message('tns1:RuleEngine/FieldDetector/ObjectsInside', { data: { IsInside: 'false' } }));
  await pass(clock, 10, () => b.records().length > 1);
  expect(b.kinds()).toEqual(['intrusion', 'eventEnd']);
  expect(b.codes()).toEqual([]);
  await b.stop();
  expect(camera.subscriptions.size).toBe(0);
});

it('stops at a refused login until a person acts', async () => {
  const { camera, clock, wanted, b } = await onvif();
  b.manager.apply([{ ...wanted, password: 'Wrong-1' }]);
  await pass(clock, 30, () => b.state() === 'refused');
  const asked = camera.seen.length;
  await pass(clock, 120, () => true);
  await clock.advance(600_000);
  expect(camera.seen.length).toBe(asked);
  expect(camera.wrongLogins).toBeLessThanOrEqual(2);
  b.manager.apply([{ ...wanted, credentialVersion: 2 }]);
  await pass(clock, 30, () => b.state() === 'online');
});

it('that is locked already is left alone for a while, and it was ONVIF that said so', async () => {
  const { camera, clock, wanted } = await onvif({ tries: 0 });
  const guard = new LoginGuard();
  const log = pino({ level: 'silent' });
  const session = new DeviceSession({
    config: wanted,
    guard,
    clock,
    log,
    append: async () => {},
    onChange: () => {},
    lan: { byMac: () => undefined, bySerial: () => undefined, at: () => [], permits: () => true },
    warnings: new DeviceWarnings(new Warnables({ clock, log })),
  });
  onTestFinished(() => session.stop(false));
  session.start([]);
  await pass(clock, 30, () => guard.refused);
  expect(guard.refused).toMatchObject({ by: 'onvif', locked: true, temporary: true });
  expect(camera.wrongLogins).toBe(0);
});
