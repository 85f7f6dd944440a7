import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, ManualClock, systemClock } from '../../protocol/clock.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import type { Alert } from '../isapi/alert.ts';
import { OnvifDriver } from './driver.ts';
import { encoder1, message, profile1, profile2 } from './testing/documents.ts';
import { type Script, SoapCamera } from './testing/soap-camera.ts';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});

async function world(script: Partial<Script> = {}, clock: Clock = systemClock) {
  const camera = new SoapCamera(script);
  const port = await camera.start();
  const guard = new LoginGuard();
  const driver = new OnvifDriver({
    host: '127.0.0.1',
    port,
    username: 'admin',
    password: 'Correct-1',
    guard,
    clock,
    log: pino({ enabled: false }),
  });
  cleanup.push(
    () => camera.stop(),
    () => driver.close(),
  );
  return { camera, driver, guard };
}
async function connected(script: Partial<Script> = {}, clock?: Clock) {
  const w = await world(script, clock);
  expect(await w.driver.identify()).toMatchObject({ ok: true });
  return w;
}
const until = async (fn: () => boolean) => {
  const deadline = Date.now() + 5_000;
  while (!fn()) {
    if (Date.now() > deadline) throw new Error('it did not happen');
    await new Promise((r) => setTimeout(r, 10));
  }
};

describe('what it is', () => {
  it('tells model, serial, name and the MAC of the interface that answers', async () => {
    const { driver } = await world();
    expect(await driver.identify()).toEqual({
      ok: true,
      value: {
        name: 'Yard gate',
        model: 'Maker Dome 5',
        serial: '404754734001050102',
        mac: '28-57-be-65-7d-d5',
        firmware: '8.71',
        deviceType: 'ONVIF',
        recorder: false,
      },
    });
    expect(Math.abs((await driver.clockDrift())!)).toBeLessThan(3_000);
  });

  it('finds services behind addresses that nobody reaches, and asks no other host', async () => {
    const { driver, camera } = await connected({ advertised: 'http://192.0.2.77:1' });
    expect(await driver.channels()).toMatchObject({ ok: true });
    expect(camera.seen.some((s) => s.path === '/onvif/Media2')).toBe(true);
  });

  it('is none when nothing there speaks ONVIF', async () => {
    const { driver, camera } = await world({ auth: 'open' });
    camera.handlers.clear();
    expect(await driver.identify()).toMatchObject({ ok: false, code: 'device-error' });
    expect(await driver.capabilities()).toMatchObject({ ok: false });
  });
});

describe('video', () => {
  it('streams H.265 from media2, the largest picture first, on this host and without a login in the address', async () => {
    const { driver } = await connected();
    expect(await driver.channels()).toEqual({
      ok: true,
      value: [
        {
          channel: 1,
          name: 'Yard gate',
          rtspUrl: 'rtsp://127.0.0.1:8554/live/main?a=1&proto=Onvif',
          sub: 'rtsp://127.0.0.1:8554/live/sub?a=1&proto=Onvif',
        },
      ],
    });
  });

  it('falls back to media1', async () => {
    const { driver, camera } = await connected();
    camera.handlers.set('GetProfiles', ({ path }) =>
      path.endsWith('Media2')
        ? { status: 400, code: 'ter:ActionNotSupported', reason: 'no' }
        : `<trt:GetProfilesResponse>${profile1('000', encoder1)}</trt:GetProfilesResponse>`,
    );
    camera.handlers.set('GetStreamUri', ({ text }) =>
      text('Protocol') === 'RTSP' && text('ProfileToken') === '000'
        ? '<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>rtsp://127.0.0.1/rtsp_tunnel?p=0&amp;line=1</tt:Uri><tt:InvalidAfterReboot>true</tt:InvalidAfterReboot></trt:MediaUri></trt:GetStreamUriResponse>'
        : { status: 400, code: 'ter:InvalidArgVal', reason: 'no' },
    );
    expect(await driver.channels()).toMatchObject({
      value: [{ rtspUrl: 'rtsp://127.0.0.1:554/rtsp_tunnel?p=0&line=1' }],
    });
  });

  it('counts a channel for each video source of a recorder, in its own order', async () => {
    const { driver, camera } = await connected();
    camera.handlers.set(
      'GetVideoSources',
      () =>
        `<trt:GetVideoSourcesResponse>${[3, 1, 2].map((i) => `<trt:VideoSources token="VideoSource_${i}"/>`).join('')}</trt:GetVideoSourcesResponse>`,
    );
    camera.handlers.set('GetProfiles', () => {
      const of = [1, 2, 3].flatMap((source) => [
        profile2({ token: `S${source}`, source, width: 640, height: 360 }),
        profile2({ token: `M${source}`, source }),
      ]);
      return `<tr2:GetProfilesResponse>${of.join('')}</tr2:GetProfilesResponse>`;
    });
    const channels = await driver.channels();
    expect(channels.ok && channels.value.map((c) => [c.channel, c.name])).toEqual([
      [1, 'Camera 3'],
      [2, 'Camera 1'],
      [3, 'Camera 2'],
    ]);
    expect(await driver.capabilities()).toMatchObject({ value: { category: 'nvr' } });
    expect(
      camera.seen.filter((s) => s.operation === 'GetStreamUri').map((s) => />([MS]\d)</.exec(s.body)?.[1]),
    ).toEqual([...['M3', 'S3', 'M1', 'S1', 'M2', 'S2']]);
  });

  it('gives a picture with Digest, without a login, or none', async () => {
    const { driver, camera } = await connected();
    await driver.channels();
    const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1]);
    camera.files.set('/snap.jpg?of=main', { status: 200, type: 'text/html', body: jpeg, login: true });
    expect(await driver.snapshot(1)).toEqual({ ok: true, value: jpeg });
    camera.files.get('/snap.jpg?of=main')!.login = false;
    expect(await driver.snapshot(1)).toEqual({ ok: true, value: jpeg });
    camera.files.delete('/snap.jpg?of=main');
    expect(await driver.snapshot(1)).toMatchObject({ ok: false, code: 'device-error' });
    expect(await driver.snapshot(2)).toMatchObject({ ok: false, code: 'not-found' });
  });

  it('sends the whole encoder configuration back, with what is to change, and tells what was not kept', async () => {
    const { driver, camera } = await connected();
    camera.handlers.set('GetProfiles', ({ path }) =>
      path.endsWith('Media2')
        ? { status: 400, code: 'ter:ActionNotSupported', reason: 'no' }
        : `<trt:GetProfilesResponse>${profile1('000', encoder1)}</trt:GetProfilesResponse>`,
    );
    let kept = encoder1;
    camera.handlers.set('GetVideoEncoderConfiguration', () => `<trt:R>${kept}</trt:R>`);
    camera.handlers.set(
      'GetVideoEncoderConfigurationOptions',
      () =>
        '<trt:R><trt:Options><tt:H264><tt:ResolutionsAvailable><tt:Width>1280</tt:Width><tt:Height>720</tt:Height></tt:ResolutionsAvailable><tt:GovLengthRange><tt:Min>1</tt:Min><tt:Max>100</tt:Max></tt:GovLengthRange><tt:FrameRateRange><tt:Min>1</tt:Min><tt:Max>25</tt:Max></tt:FrameRateRange></tt:H264></trt:Options></trt:R>',
    );
    camera.handlers.set('SetVideoEncoderConfiguration', ({ body }) => {
      expect(body).toContain('<trt:ForcePersistence>true</trt:ForcePersistence>');
      const sent = /<trt:Configuration .*<\/trt:Configuration>/.exec(body)![0];
      for (const part of ['token="enc0"', 'Main &amp; more', '<tt:EncodingInterval>1<', 'PT60S', 'urn:maker', '>kept<'])
        expect(sent).toContain(part);
      // It keeps its own frame rate.
      kept = sent.replace('>12<', '>25<');
      return '<trt:R/>';
    });
    await driver.channels();
    const fields = await driver.readSettings('video', { channel: 1, stream: 1 });
    expect(fields.ok && fields.value.find((f) => f.name === 'resolution')).toEqual({
      name: 'resolution',
      kind: 'choice',
      value: '1920x1080',
      options: ['1280x720', '1920x1080'],
    });
    const set = { govLength: 24, frameRate: '12', resolution: '1280x720' };
    const written = await driver.writeSettings('video', { channel: 1, stream: 1 }, set);
    expect(written).toMatchObject({ ok: true, value: { notKept: [{ name: 'frameRate', wanted: '12', is: '25' }] } });
    expect(await driver.writeSettings('video', { channel: 1, stream: 1 }, { govLength: 1_000 })).toMatchObject({
      ok: false,
      code: 'invalid-request',
    });
  });

  it('writes media2 attributes', async () => {
    const { driver, camera } = await connected();
    camera.handlers.set('SetVideoEncoderConfiguration', () => '<tr2:R/>');
    await driver.channels();
    await driver.writeSettings(
      'video',
      { channel: 1, stream: 1 },
      { govLength: 40, bitrateType: 'CBR', codec: 'H264' },
    );
    const sent = camera.seen.find((s) => s.operation === 'SetVideoEncoderConfiguration')!.body;
    expect(sent).toContain('<tr2:Configuration token="VE_Main &amp; 1" GovLength="40" Profile="Main">');
    expect(sent).toContain('ConstantBitRate="true"');
    expect(sent).toContain('<tt:Encoding>H264</tt:Encoding>');
  });
});

describe('operations', () => {
  it('tells what the device has and nothing else', async () => {
    const { driver } = await connected();
    await driver.channels();
    const capabilities = await driver.capabilities();
    if (!capabilities.ok) throw new Error(capabilities.text);
    const { category, sections, lists, actions, resources } = capabilities.value;
    expect(category).toBe('ptzCamera');
    expect(sections.map((s) => s.section)).toEqual(['video', 'picture', 'backlight', 'time', 'network']);
    expect(lists.map((l) => l.list)).toEqual(['presets', 'alarmOutputs', 'alarmInputs', 'users']);
    expect(actions.map((a) => a.action)).toContain('ptzMove');
    expect(actions.map((a) => a.action)).not.toContain('focus');
    expect(resources.map((r) => [r.kind, r.id])).toEqual([
      ['alarmOutput', 'Relay <1>'],
      ['alarmInput', '1'],
      ['alarmInput', '2'],
      ['camera', '1'],
    ]);
    expect(resources.at(-1)?.triggers).toEqual(['motion', 'lineCrossing']);
  });

  it('is not said to lack what it did not answer', async () => {
    const { driver, camera } = await connected();
    await driver.channels();
    const answer = camera.handlers.get('GetRelayOutputs')!;
    camera.handlers.set('GetRelayOutputs', () => null);
    const asked = () => driver.readList('alarmOutputs', {});
    expect(await asked()).toMatchObject({ ok: false, code: 'device-unreachable' });
    camera.handlers.set('GetRelayOutputs', answer);
    expect(await asked()).toMatchObject({ ok: true });
  });

  it('moves with a time-out of the device’s own and stops it in any case', async () => {
    const { driver, camera } = await connected();
    await driver.channels();
    const moved = await driver.act({ action: 'ptzMove', channel: 1, pan: 0.5, tilt: 0, zoom: 0, ms: 50 });
    expect(moved).toMatchObject({ ok: true });
    const sent = camera.seen.find((s) => s.operation === 'ContinuousMove')!.body;
    expect(sent).toContain('<tt:PanTilt x="0.5" y="0"/>');
    expect(sent).not.toContain('<tt:Zoom');
    expect(sent).toContain('PT1S');
    await until(() => camera.count('Stop') === 1);
    camera.handlers.set('ContinuousMove', ({ body }) =>
      body.includes('Timeout') ? { status: 400, code: 'ter:TimeoutNotSupported', reason: 'no' } : '<p/>',
    );
    await driver.act({ action: 'ptzMove', channel: 1, pan: 0, tilt: 0, zoom: 1 });
    expect(await driver.act({ action: 'ptzStop', channel: 1 })).toMatchObject({ ok: true });
    expect(camera.count('Stop')).toBe(2);
  });

  it('stops what moves when the connection is closed, and says nothing else then', async () => {
    const moving = await connected();
    await moving.driver.channels();
    await moving.driver.act({ action: 'ptzMove', channel: 1, pan: 0.5, tilt: 0, zoom: 0 });
    await moving.driver.close();
    expect(moving.camera.count('Stop')).toBe(1);
    expect(moving.camera.seen.at(-1)).toMatchObject({ operation: 'Stop', login: 'good' });
    const still = await connected();
    await still.driver.channels();
    await still.driver.act({ action: 'ptzMove', channel: 1, pan: 0.5, tilt: 0, zoom: 0 });
    await still.driver.act({ action: 'ptzStop', channel: 1 });
    await still.driver.close();
    expect(still.camera.count('Stop')).toBe(1);
  });

  it('lists presets that have a name and a place', async () => {
    const { driver, camera } = await connected();
    await driver.channels();
    expect(await driver.readList('presets', { channel: 1 })).toEqual({
      ok: true,
      value: [{ id: '1', name: 'Gate', values: {} }],
    });
    expect(await driver.act({ action: 'presetCall', channel: 1, preset: 'a"<b>' })).toMatchObject({ ok: true });
    expect(camera.seen.at(-1)!.body).toContain('<tptz:PresetToken>a&quot;&lt;b&gt;</tptz:PresetToken>');
  });

  it('switches outputs, by token or number', async () => {
    const { driver, camera } = await connected();
    await driver.channels();
    for (const output of ['Relay <1>', '1']) {
      expect(await driver.act({ action: 'alarmOutput', output, active: true })).toMatchObject({ ok: true });
      const sent = camera.seen.at(-1)!.body;
      expect(sent).toContain('<tmd:RelayOutputToken>Relay &lt;1&gt;</tmd:RelayOutputToken>');
      expect(sent).toContain('<tmd:LogicalState>active<');
    }
    expect(await driver.act({ action: 'alarmOutput', output: '9', active: true })).toMatchObject({ code: 'not-found' });
  });

  it('changes the picture within what the device names', async () => {
    const { driver, camera } = await connected();
    camera.handlers.set('SetImagingSettings', () => '<i/>');
    await driver.channels();
    expect(await driver.readSettings('picture', { channel: 1 })).toMatchObject({
      value: [
        { name: 'brightness', value: 128, min: 0, max: 255 },
        { name: 'contrast', value: 100, min: null, max: null },
        { name: 'dayNight', value: 'auto', options: ['day', 'auto'] },
      ],
    });
    const written = await driver.writeSettings('picture', { channel: 1 }, { brightness: 90, dayNight: 'day' });
    expect(written).toMatchObject({ ok: true, value: { notKept: [{ name: 'brightness' }, { name: 'dayNight' }] } });
    const sent = camera.seen.find((s) => s.operation === 'SetImagingSettings')!.body;
    expect(sent).toContain('<timg:ImagingSettings><tt:BacklightCompensation><tt:Mode>OFF</tt:Mode>');
    expect(sent).toContain('<tt:Brightness>90</tt:Brightness>');
    expect(sent).toContain('<tt:IrCutFilter>ON</tt:IrCutFilter>');
  });

  it('sets the clock and follows it with its own login', async () => {
    const { driver, camera } = await connected({ clockAheadMs: -7_200_000 });
    await driver.channels();
    camera.handlers.set('SetSystemDateAndTime', ({ text, body }) => {
      expect(text('TZ')).toBe('STD-1DST,M3.5.0/02:00:00,M10.5.0/03:00:00');
      const n = (name: string) => Number(text(name));
      const at = Date.UTC(n('Year'), n('Month') - 1, n('Day'), n('Hour'), n('Minute'), n('Second'));
      expect(body).toContain('<tds:DateTimeType>Manual<');
      camera.script.clockAheadMs = at - Date.now();
      return '<tds:R/>';
    });
    expect(await driver.act({ action: 'syncTime', timeZone: 'Europe/Berlin' })).toMatchObject({ ok: true });
    expect(await driver.readList('users', {})).toMatchObject({ value: [{ id: 'admin' }] });
    expect(Math.abs((await driver.clockDrift())!)).toBeLessThan(2_000);
    expect(camera.wrongLogins).toBe(0);
    expect(JSON.stringify(await driver.readList('users', {}))).not.toContain('never shown');
  });

  it('tells its network', async () => {
    const { driver } = await connected();
    await driver.channels();
    const network = await driver.readSettings('network', {});
    const values = network.ok ? network.value.map((f) => [f.name, 'value' in f && f.value]) : [];
    expect(Object.fromEntries(values)).toMatchObject({
      dhcp: false,
      address: '127.0.0.1',
      subnetMask: '255.255.240.0',
      gateway: '127.0.0.254',
      mac: '28-57-be-65-7d-d5',
    });
  });
});

describe('events', () => {
  async function listening(script: Partial<Script> = {}, clock?: Clock) {
    const w = await connected(script, clock);
    await w.driver.channels();
    const alerts: Alert[] = [];
    let unreadable = 0;
    const stop = new AbortController();
    const end = w.driver.listen({
      onOpen: () => {},
      onAlert: (alert) => void alerts.push(alert),
      onUnreadable: () => unreadable++,
      signal: stop.signal,
    });
    cleanup.push(() => stop.abort());
    await until(() => w.camera.count('PullMessages') > 0);
    return { ...w, alerts, stop, end, unreadable: () => unreadable };
  }

  it('pulls, with reference parameters and addressing, and gives the subscription back', async () => {
    const { camera, alerts, stop, end, driver } = await listening();
    camera.say(
      message('tns1:VideoSource/MotionAlarm', { op: 'Initialized', data: { State: 'true' } }),
      message('tns1:VideoSource/MotionAlarm', { data: { State: 'true' } }),
      message('tns1:Device/Trigger/DigitalInput', { source: { InputToken: 'DI_B' }, data: { LogicalState: 'true' } }),
    );
    await until(() => alerts.length >= 2);
    expect(alerts.map((a) => [a.type, a.channel, a.active])).toEqual([
      ['motion', 1, true],
      ['alarmInput', 2, true],
    ]);
    const pull = camera.seen.find((s) => s.operation === 'PullMessages')!;
    expect(pull.path).toBe('/onvif/Subscription?Idx=1&x=1');
    expect(pull.body).toContain(
      'xmlns:n="http://www.axis.com/2009/event" a:IsReferenceParameter="true">1</n:SubscriptionId>',
    );
    expect(pull.body).toContain('PullPointSubscription/PullMessagesRequest</a:Action>');
    expect(pull.body).toContain(`<a:To>http://127.0.0.1:${camera.port}/onvif/Subscription?Idx=1&amp;x=1</a:To>`);
    expect(camera.count('SetSynchronizationPoint')).toBe(1);
    expect(camera.subscriptions.size).toBe(1);
    stop.abort();
    driver.close();
    expect(await end).toMatchObject({ how: 'stopped' });
    expect(camera.subscriptions.size).toBe(0);
  });

  it('loses nothing else and invents nothing when one element is broken', async () => {
    const { camera, alerts, unreadable } = await listening();
    camera.say(
      message('tns1:VideoSource/MotionAlarm', { data: { State: 'true' } }),
      '<wsnt:NotificationMessage><wsnt:Topic>tns1:RuleEngine/FieldDetector/ObjectsInside<wsnt:Message></wsnt:NotificationMessage>',
      message('tns1:RuleEngine/LineDetector/Crossed', { data: { ObjectId: '1' } }),
    );
    await until(() => alerts.length >= 2);
    expect(alerts.map((a) => a.type)).toEqual(['motion', 'lineCrossing']);
    expect(unreadable()).toBe(1);
    camera.say('<wsnt:NotificationMessage/>', message('tns1:VideoSource/SignalLoss', { data: { State: '1' } }));
    await until(() => alerts.some((a) => a.type === 'videoLoss'));
    expect(camera.count('CreatePullPointSubscription')).toBe(1);
  });

  it('does not ask for ever when the device does not wait', async () => {
    const clock = new ManualClock(Date.now());
    const { camera, driver } = await listening({ holdMs: 0 }, clock);
    const pulls = () => camera.count('PullMessages');
    // Questions of others go back and forth meanwhile, and no time passes.
    for (let i = 0; i < 5; i++) await driver.clockDrift();
    const before = pulls();
    expect(before).toBeLessThanOrEqual(2);
    await clock.advance(1_000);
    await until(() => pulls() > before);
    expect(pulls()).toBeLessThanOrEqual(before + 2);
  });

  it('makes a new subscription when the old one is gone, and gives up to whoever waits when there is none', async () => {
    const { camera, alerts, end } = await listening();
    camera.subscriptions.clear();
    await until(() => camera.count('CreatePullPointSubscription') === 2);
    camera.say(message('tns1:VideoSource/MotionAlarm', { op: null, data: { State: 'true' } }));
    await until(() => alerts.length > 0);
    camera.handlers.set('CreatePullPointSubscription', () => ({
      status: 500,
      code: 'ter:UnableToCreatePullPoint',
      reason: 'too many',
    }));
    camera.subscriptions.clear();
    expect(await end).toMatchObject({ how: 'failed', failure: { code: 'device-error' } });
  });

  it('says when the device is gone', async () => {
    const { camera, end, driver } = await listening();
    await camera.stop();
    driver.check();
    expect(await end).toMatchObject({ how: 'lost' });
  });

  it('has none where there is no event service', async () => {
    const { driver, camera } = await world();
    camera.handlers.set('GetServices', () => ({ status: 400, code: 'ter:ActionNotSupported', reason: 'no' }));
    camera.handlers.set(
      'GetCapabilities',
      () =>
        '<tds:R><tds:Capabilities><tt:Media><tt:XAddr>/onvif/Media2</tt:XAddr></tt:Media></tds:Capabilities></tds:R>',
    );
    await driver.identify();
    const o = { onOpen() {}, onAlert() {}, onUnreadable() {}, signal: new AbortController().signal };
    expect(await driver.listen(o)).toMatchObject({ how: 'failed', failure: { code: 'device-error' } });
  });
});
