import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../protocol/clock.ts';
import { connected, Documents, eagerClock } from '../testing/documents.ts';
import { ScriptedDevice } from '../testing/scripted-device.ts';
import { alarmIo } from './alarm-io.ts';
import { ptzFeature } from './ptz.ts';

const PTZ = '/PTZCtrl/channels/1';
const CAPS =
  '<PTZChanelCap version="2.0" xmlns="urn:psialliance-org"><ContinuousPanTiltSpace><XRange><Min>-100</Min><Max>100</Max></XRange></ContinuousPanTiltSpace><maxPresetNum>300</maxPresetNum><maxPatrolNum>8</maxPatrolNum><maxPatternNum>0</maxPatternNum><homePostionSupport>true</homePostionSupport></PTZChanelCap>';

let scripted: ScriptedDevice;
let documents: Documents;
let port: number;
/** Bodies of what was sent to move. */
let moves: string[];
let names: Map<number, string>;
let close = () => {};

const preset = (n: number) =>
  `<PTZPreset><enabled>true</enabled><id>${n}</id><presetName>${names.get(n) ?? ''}</presetName></PTZPreset>`;
beforeEach(async () => {
  scripted = new ScriptedDevice({ model: 'DS-2DE4425IWG-E' });
  port = await scripted.start();
  documents = new Documents(scripted);
  moves = [];
  names = new Map([[1, 'Gate']]);
  documents.set(`${PTZ}/capabilities`, CAPS);
  documents.set(`${PTZ}/continuous`, '', (body) => {
    moves.push([...body.matchAll(/<(?:pan|tilt|zoom)>(-?\d+)</g)].map((m) => m[1]).join());
    return null;
  });
  const list = () =>
    `<PTZPresetList size="0">${Array.from({ length: 300 }, (_, i) => preset(i + 1)).join('')}</PTZPresetList>`;
  scripted.routes.set(`/ISAPI${PTZ}/presets`, (_req, res) => res.end(list()));
  for (const n of [1, 2, 99]) {
    scripted.routes.set(`/ISAPI${PTZ}/presets/${n}/goto`, (_req, res) => scripted.status(res, 200, 1, 'ok'));
    scripted.routes.set(`/ISAPI${PTZ}/presets/${n}`, (req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (c: Buffer) => chunks.push(c));
      req.on('end', () => {
        if (req.method === 'DELETE') names.delete(n);
        else names.set(n, /<presetName>([^<]*)</.exec(Buffer.concat(chunks).toString())![1]!);
        scripted.status(res, 200, 1, 'ok');
      });
    });
  }
});
afterEach(async () => {
  close();
  await scripted.stop();
});
const at = async (clock = eagerClock()) => {
  const all = await connected(scripted, port, [ptzFeature(), alarmIo], clock);
  close = all.close;
  return all;
};
const until = async (done: () => boolean) => {
  for (let i = 0; i < 200 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(done()).toBe(true);
};
const move = { action: 'ptzMove', channel: 1, pan: 0.5, tilt: -1, zoom: 0 } as const;

describe('a camera that turns', () => {
  it('offers what its capabilities name, in whatever spelling, and nothing else (LINK-30)', async () => {
    const { features } = await at();
    const { actions, lists, resources } = await features.capabilities();
    expect(actions.map((a) => a.action)).toEqual([
      ...['ptzMove', 'ptzStop', 'ptzHome', 'presetCall', 'presetSet', 'presetDelete', 'patrolStart', 'patrolStop'],
    ]);
    expect(lists).toEqual([
      { list: 'presets', channels: [1] },
      { list: 'patrols', channels: [1] },
    ]);
    expect(resources).toMatchObject([{ kind: 'camera', id: '1', actions: ['presetCall', 'patrolStart'] }]);
  });

  it('is no such camera when its capabilities hold nothing that turns', async () => {
    documents.set(`${PTZ}/capabilities`, '<PTZChanelCap><maxPresetNum>0</maxPresetNum></PTZChanelCap>');
    const { features } = await at();
    expect((await features.capabilities()).actions).toEqual([]);
    expect(await features.act(move)).toMatchObject({ ok: false, code: 'not-found' });
  });

  it('turns until it is stopped', async () => {
    const { features } = await at(new ManualClock());
    expect(await features.act(move)).toEqual({ ok: true, value: { pending: true, text: null } });
    expect(await features.act({ action: 'ptzStop', channel: 1 })).toMatchObject({ ok: true });
    expect(moves).toEqual(['50,-100,0', '0,0,0']);
  });

  it('stops after the time that was asked for', async () => {
    const { features } = await at();
    expect(await features.act({ ...move, ms: 400 })).toMatchObject({ ok: true, value: { pending: false } });
    expect(moves).toEqual(['50,-100,0', '0,0,0']);
  });

  it('stops by itself after 10 s, counted from the last word', async () => {
    const clock = new ManualClock();
    const { features } = await at(clock);
    await features.act(move);
    await clock.advance(9_000);
    await features.act({ ...move, pan: 1 });
    await clock.advance(9_000);
    expect(moves).toHaveLength(2);
    await clock.advance(1_001);
    await until(() => moves.length === 3);
    expect(moves).toEqual(['50,-100,0', '100,-100,0', '0,0,0']);
  });

  it('stops when whoever asked is gone, before or after it took the word', async () => {
    const { features } = await at(new ManualClock());
    const gone = new AbortController();
    const moving = features.act({ ...move, ms: 8_000 }, gone.signal);
    await until(() => moves.length === 1);
    gone.abort();
    await moving;
    expect(moves).toEqual(['50,-100,0', '0,0,0']);
    const early = new AbortController();
    const slow = features.act(move, early.signal);
    early.abort();
    expect(await slow).toMatchObject({ ok: false });
    expect(moves.at(-1)).toBe('0,0,0');
  });

  it('stops when the connection is closed, if it still moves, and says nothing else then', async () => {
    const still = await at(new ManualClock());
    await still.features.act(move);
    await still.features.act({ action: 'ptzStop', channel: 1 });
    const told = scripted.seen.length;
    await still.device.client.close();
    expect(scripted.seen).toHaveLength(told);
    const open = await at(new ManualClock());
    await open.features.act(move);
    await open.device.client.close();
    expect(moves.slice(2)).toEqual(['50,-100,0', '0,0,0']);
    const timed = await at(new ManualClock());
    const moving = timed.features.act({ ...move, ms: 8_000 });
    await until(() => moves.length === 5);
    await timed.device.client.close();
    expect(moves.slice(4)).toEqual(['50,-100,0', '0,0,0']);
    expect(scripted.wrongLogins).toBe(0);
    void moving;
  });

  it('holds a closing connection up for two seconds at most', async () => {
    const clock = new ManualClock();
    const { features, device } = await at(clock);
    await features.act(move);
    scripted.routes.set(`/ISAPI${PTZ}/continuous`, () => {});
    let closed = false;
    const closing = device.client.close().then(() => {
      closed = true;
    });
    await clock.advance(1_900);
    expect(closed).toBe(false);
    await clock.advance(200);
    await closing;
  });

  it('stops although the stop overtook the move', async () => {
    const { features } = await at(new ManualClock());
    const moving = features.act(move);
    // The second word is out before the first is answered.
    await until(() => scripted.seen.some((seen) => seen.url.endsWith('continuous')) || moves.length > 0);
    await Promise.all([moving, features.act({ action: 'ptzStop', channel: 1 })]);
    expect(moves.at(-1)).toBe('0,0,0');
  });

  it('is told to stop again when it did not take it', async () => {
    let refused = 0;
    documents.set(`${PTZ}/continuous`, '', (body) => {
      if (body.includes('<pan>0<') && refused++ < 2) return { refuse: 'deviceBusy' };
      moves.push(body);
      return null;
    });
    const { features } = await at();
    expect(await features.act({ ...move, ms: 100 })).toMatchObject({ ok: true });
    expect(moves).toHaveLength(2);
  });

  it('lists the presets that are set, of 300 places without names', async () => {
    const { features } = await at();
    expect(await features.list('presets', { channel: 1 })).toEqual({
      ok: true,
      value: [{ id: '1', name: 'Gate', values: {} }],
    });
  });

  it('calls, makes and deletes presets; a new one takes a free place that is no command', async () => {
    const { features } = await at();
    expect(await features.act({ action: 'presetCall', channel: 1, preset: '1' })).toMatchObject({ ok: true });
    expect(await features.act({ action: 'presetSet', channel: 1, preset: null, name: 'Yard' })).toMatchObject({
      value: { text: '2: Yard' },
    });
    expect(names.get(2)).toBe('Yard');
    expect(await features.act({ action: 'presetDelete', channel: 1, preset: '2' })).toMatchObject({ ok: true });
    expect(names.has(2)).toBe(false);
    expect(await features.act({ action: 'presetCall', channel: 1, preset: '../x' })).toMatchObject({
      code: 'invalid-request',
    });
    expect(await features.act({ action: 'presetCall', channel: 1, preset: '44' })).toMatchObject({ ok: false });
  });

  it('starts patrols', async () => {
    scripted.routes.set(`/ISAPI${PTZ}/patrols/3/start`, (_req, res) => scripted.status(res, 200, 1, 'ok'));
    scripted.routes.set(`/ISAPI${PTZ}/patrols`, (_req, res) =>
      res.end(
        '<PTZPatrolList><PTZPatrol><enabled>true</enabled><id>3</id><patrolName/></PTZPatrol><PTZPatrol><enabled>false</enabled><id>4</id></PTZPatrol></PTZPatrolList>',
      ),
    );
    const { features } = await at();
    expect(await features.list('patrols', { channel: 1 })).toMatchObject({ value: [{ id: '3', name: 'Patrol 3' }] });
    expect(await features.act({ action: 'patrolStart', channel: 1, patrol: 3 })).toMatchObject({ ok: true });
  });
});

describe('alarm inputs and outputs', () => {
  it('are listed with their states and switched, virtual ones included (LINK-33)', async () => {
    documents.set(
      '/System/IO/inputs',
      '<IOInputPortList size="0"><IOInputPort><id>1</id></IOInputPort></IOInputPortList>',
    );
    documents.set(
      '/System/IO/outputs',
      '<IOOutputPortList><IOOutputPort><id>1</id><outputName>Siren</outputName></IOOutputPort><IOOutputPort><id>802</id><IOUseType>whiteLight</IOUseType></IOOutputPort></IOOutputPortList>',
    );
    documents.set(
      '/System/IO/status',
      '<IOPortStatusList><IOPortStatus><ioPortID>1</ioPortID><ioPortType>output</ioPortType><ioState>active</ioState></IOPortStatus></IOPortStatusList>',
    );
    documents.set('/System/IO/outputs/802/trigger', '');
    const { features } = await at();
    expect((await features.capabilities()).resources.slice(1)).toEqual([
      { kind: 'alarmInput', id: '1', name: 'Input 1', triggers: ['alarmInput'], actions: [] },
      { kind: 'alarmOutput', id: '1', name: 'Siren', triggers: [], actions: ['alarmOutput'] },
      { kind: 'alarmOutput', id: '802', name: 'Output 802', triggers: [], actions: ['alarmOutput'] },
    ]);
    expect(await features.list('alarmOutputs', {})).toMatchObject({
      value: [
        { id: '1', values: { active: true } },
        { id: '802', values: { use: 'whiteLight' } },
      ],
    });
    expect(await features.act({ action: 'alarmOutput', output: '802', active: true })).toMatchObject({ ok: true });
    expect(documents.written[0]!.body).toContain('<outputState>high</outputState>');
    expect(await features.act({ action: 'alarmOutput', output: '1/../2', active: true })).toMatchObject({ ok: false });
  });

  it('of the cameras behind a recorder are handed on; what is not there is asked once', async () => {
    scripted.script.deviceType = 'NVR';
    documents.set(
      '/ContentMgmt/IOProxy/outputs',
      '<IOProxyOutputPortList><IOProxyOutputPort><id>3</id></IOProxyOutputPort></IOProxyOutputPortList>',
    );
    documents.set('/ContentMgmt/IOProxy/outputs/3/trigger', '');
    const { features } = await at();
    for (let i = 0; i < 3; i++) {
      expect(await features.list('alarmOutputs', {})).toMatchObject({ value: [{ id: 'proxy:3' }] });
    }
    expect(await features.act({ action: 'alarmOutput', output: 'proxy:3', active: false })).toMatchObject({ ok: true });
    expect(documents.written.map((w) => w.path)).toEqual(['/ContentMgmt/IOProxy/outputs/3/trigger']);
    const asked = scripted.seen.filter((s) => s.url === '/ISAPI/System/IO/outputs' && s.login === 'good');
    expect(asked).toHaveLength(1);
  });
});
