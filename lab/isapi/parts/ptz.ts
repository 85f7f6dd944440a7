import type { MakePart } from '../../devices/device.ts';
import { OK, refusal, statusXml } from '../answer.ts';
import { escapeXml, find, parseXml, textOf, XML_HEAD } from '../xml.ts';

const clamp = (n: number, low: number, high: number) => Math.min(high, Math.max(low, n));

/** Pan, tilt, zoom of channel 1: presets, patrols, patterns, home (isapi §13). Most of it no capture shows. */
export const ptz: MakePart = (device) => {
  const { profile: p } = device;
  const ns = `version="2.0" xmlns="${p.odd.namespace}"`;
  // Tenths of a degree; zoom in tenths. Speed in per cent a second of a slow dome's range.
  const at = { azimuth: 0, elevation: 100, zoom: 10 };
  const speed = { pan: 0, tilt: 0, zoom: 0 };
  let movedAt = Date.now();
  let moves = 0;
  let running: string | null = null;
  let home = { ...at };
  let recording: number | null = null;
  const patterns = new Set<number>([1]);
  const presets = new Map<number, { name: string; at: typeof at }>([
    [1, { name: 'Gate', at: { azimuth: 450, elevation: 50, zoom: 20 } }],
    [2, { name: 'Yard', at: { azimuth: 1800, elevation: 200, zoom: 10 } }],
  ]);
  const patrols = new Map<number, { name: string; steps: number[] }>([[1, { name: 'Round', steps: [1, 2] }]]);

  const settle = () => {
    const seconds = (Date.now() - movedAt) / 1000;
    movedAt = Date.now();
    at.azimuth = Math.round((((at.azimuth + speed.pan * seconds * 10) % 3600) + 3600) % 3600);
    at.elevation = Math.round(clamp(at.elevation + speed.tilt * seconds * 5, -50, 900));
    at.zoom = Math.round(clamp(at.zoom + speed.zoom * seconds, 10, 250));
  };
  const move = (to: Partial<typeof speed>) => {
    settle();
    Object.assign(speed, { pan: 0, tilt: 0, zoom: 0 }, to);
    running = null;
    moves++;
  };
  const preset = (n: number) => {
    const known = presets.get(n);
    return `<PTZPreset ${ns}><enabled>${known !== undefined}</enabled><id>${n}</id><presetName>${escapeXml(known?.name ?? `Preset ${n}`)}</presetName></PTZPreset>`;
  };
  const patrol = (n: number) => {
    const known = patrols.get(n);
    const step = (id: number, i: number) =>
      `<PatrolSequence><presetID>${id}</presetID><delay>10</delay><seqSpeed>20</seqSpeed><id>${i + 1}</id></PatrolSequence>`;
    return `<PTZPatrol ${ns}><enabled>${known !== undefined}</enabled><id>${n}</id><patrolName>${escapeXml(known?.name ?? `Patrol ${n}`)}</patrolName><PatrolSequenceList>${(known?.steps ?? []).map(step).join('')}</PatrolSequenceList></PTZPatrol>`;
  };
  const pattern = (n: number) =>
    `<PTZPattern ${ns}><enabled>${patterns.has(n)}</enabled><id>${n}</id><patternName>Pattern ${n}</patternName></PTZPattern>`;
  const list = (root: string, items: string[]) => `${XML_HEAD}<${root} ${ns}>\n${items.join('\n')}\n</${root}>\n`;
  const numbers = (n: number) => [...Array(n).keys()].map((i) => i + 1);

  type Wanted = ReturnType<typeof parseXml>;
  /** The answer's document, or the subStatusCode of a refusal; null: done. */
  const act = (method: string, what: string, wanted: Wanted): { xml: string } | string | null => {
    const number = (path: string) => Number(wanted ? (textOf(wanted, path) ?? '0') : Number.NaN);
    if (method === 'GET') {
      const [, group, n] = /^(presets|patrols|patterns)(?:\/(\d+))?$/.exec(what) ?? [];
      const id = Number(n ?? 0);
      // Fixed numbers of them, most of them unused.
      if (group === 'presets')
        return { xml: id ? XML_HEAD + preset(id) : list('PTZPresetList', numbers(32).map(preset)) };
      if (group === 'patrols')
        return { xml: id ? XML_HEAD + patrol(id) : list('PTZPatrolList', numbers(8).map(patrol)) };
      if (group === 'patterns')
        return { xml: id ? XML_HEAD + pattern(id) : list('PTZPatternList', numbers(4).map(pattern)) };
      if (what === 'status') {
        settle();
        return {
          xml: `${XML_HEAD}<PTZStatus ${ns}><AbsoluteHigh><elevation>${at.elevation}</elevation><azimuth>${at.azimuth}</azimuth><absoluteZoom>${at.zoom}</absoluteZoom></AbsoluteHigh></PTZStatus>\n`,
        };
      }
      if (what === 'capabilities')
        return {
          xml: `${XML_HEAD}<PTZChanelCap ${ns}><AbsolutePanTiltPositionSpace><XRange><Min>0</Min><Max>3600</Max></XRange><YRange><Min>-50</Min><Max>900</Max></YRange></AbsolutePanTiltPositionSpace><maxPresetNum>32</maxPresetNum><maxPatrolNum>8</maxPatrolNum><maxPatternNum>4</maxPatternNum><isSupportPatrols>true</isSupportPatrols></PTZChanelCap>\n`,
        };
      return 'methodNotAllowed';
    }
    const [, group, n, verb] = /^(presets|patrols|patterns|auxcontrols)\/(\d+)(?:\/(\w+))?$/.exec(what) ?? [];
    const id = Number(n ?? 0);
    if (method === 'DELETE') {
      const from = group === 'presets' ? presets : group === 'patrols' ? patrols : patterns;
      return from.delete(id) ? null : 'invalidID';
    }
    if (method !== 'PUT') return 'methodNotAllowed';
    if (what === 'continuous' || what === 'momentary') {
      if (wanted?.name !== 'PTZData') return 'badXmlContent';
      const values = { pan: number('pan'), tilt: number('tilt'), zoom: number('zoom') };
      if (Object.values(values).some((v) => !(v >= -100 && v <= 100))) return 'badParameters';
      move(values);
      if (what === 'momentary') setTimeout(() => move({}), number('Momentary/duration')).unref();
      return null;
    }
    if (what === 'absolute') {
      if (!wanted || !find(wanted, 'AbsoluteHigh')) return 'badXmlContent';
      move({});
      at.elevation = clamp(number('AbsoluteHigh/elevation'), -50, 900);
      at.azimuth = clamp(number('AbsoluteHigh/azimuth'), 0, 3600);
      at.zoom = clamp(number('AbsoluteHigh/absoluteZoom'), 10, 250);
      return null;
    }
    if (what === 'homeposition') {
      settle();
      home = { ...at };
      return null;
    }
    if (what === 'homeposition/goto') {
      move({});
      Object.assign(at, home);
      return null;
    }
    if (group === 'presets' && verb === 'goto') {
      if (!presets.has(id)) return 'invalidID';
      move({});
      Object.assign(at, presets.get(id)!.at);
      return null;
    }
    if (group === 'presets' && verb === undefined) {
      if (wanted?.name !== 'PTZPreset' || id < 1 || id > 32) return 'badXmlContent';
      settle();
      presets.set(id, { name: textOf(wanted, 'presetName') || `Preset ${id}`, at: { ...at } });
      return null;
    }
    if (group === 'patrols' && verb === undefined) {
      if (wanted?.name !== 'PTZPatrol') return 'badXmlContent';
      const steps = find(wanted, 'PatrolSequenceList')?.children.map((c) => Number(textOf(c, 'presetID'))) ?? [];
      patrols.set(id, { name: textOf(wanted, 'patrolName') || `Patrol ${id}`, steps });
      return null;
    }
    if (group === 'patrols' && (verb === 'start' || verb === 'stop')) {
      if (!patrols.has(id)) return 'invalidID';
      move({});
      running = verb === 'start' ? `patrol ${id}` : null;
      return null;
    }
    if (group === 'patterns' && verb === 'recordstart') recording = id;
    else if (group === 'patterns' && verb === 'recordstop') {
      if (recording !== null) patterns.add(recording);
      recording = null;
    } else if (group === 'patterns' && (verb === 'run' || verb === 'stop')) {
      if (!patterns.has(id)) return 'invalidID';
      move({});
      running = verb === 'run' ? `pattern ${id}` : null;
    } else if (group !== 'auxcontrols') return 'notSupport';
    return null;
  };

  return {
    state: () => {
      settle();
      const moving = speed.pan !== 0 || speed.tilt !== 0 || speed.zoom !== 0;
      const named = [...presets].map(([id, { name }]) => ({ id, name }));
      return { ptz: { ...at, speed: { ...speed }, moving, moves, running, presets: named } };
    },
    answer: ({ method, path, body, url }) => {
      const lens = /^\/System\/Video\/inputs\/channels\/1\/(focus|iris)$/.exec(path);
      const what = lens ? null : /^\/PTZCtrl\/channels\/1\/(.+)$/.exec(path)?.[1];
      if (!lens && !what) return null;
      const wanted = body.length > 0 ? parseXml(body.toString('utf8')) : null;
      if (body.length > 0 && !wanted) {
        const said = refusal('badXmlFormat');
        return { status: said.http, body: statusXml(url, said) };
      }
      const result = lens
        ? wanted?.name === 'FocusData' || wanted?.name === 'IrisData'
          ? null
          : 'badXmlContent'
        : act(method, what!, wanted);
      if (result !== null && typeof result === 'object') return { status: 200, body: result.xml };
      const said = result === null ? OK : refusal(result);
      return { status: said.http, body: statusXml(url, said, '', p.odd.errorCodes) };
    },
  };
};
