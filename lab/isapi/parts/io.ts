import type { MakePart } from '../../devices/device.ts';
import { OK, refusal, statusXml } from '../answer.ts';
import { parseXml, textOf, XML_HEAD } from '../xml.ts';

/** Alarm inputs and outputs (isapi §14). */
export const io: MakePart = (device) => {
  const { documents, profile: p } = device;
  const ns = `version="2.0" xmlns="${p.odd.namespace}"`;
  const ports = { inputs: 1, outputs: p.kind === 'nvr' || p.kind === 'dvr' ? 4 : 1 };
  const outputs = new Map<string, boolean>();
  const inputs = new Map<string, boolean>([['1', false]]);
  documents.add(
    '/System/IO/inputs/1',
    `<IOInputPort ${ns}><id>1</id><enabled>true</enabled><inputPort>1</inputPort><name>Alarm In 1</name><triggering>NO</triggering></IOInputPort>`,
    { fixed: ['id'], values: { triggering: ['NO', 'NC', 'high', 'low'] } },
  );
  const items: string[] = [];
  for (let n = 1; n <= ports.outputs; n++) {
    outputs.set(String(n), false);
    items.push(`/System/IO/outputs/${n}`);
    documents.add(
      items.at(-1)!,
      `<IOOutputPort ${ns}><id>${n}</id><PowerOnState><defaultState>low</defaultState><outputState>pulse</outputState><pulseDuration>5000</pulseDuration></PowerOnState><name>Alarm Out ${n}</name></IOOutputPort>`,
      { fixed: ['id'] },
    );
  }
  const white = p.kind === 'camera' && !p.odd.errorsWith200;
  if (white) {
    // A light that the list of outputs shows too.
    outputs.set('802', false);
    items.push('/System/IO/outputs/802');
    documents.add(
      '/System/IO/outputs/802',
      `<IOOutputPort ${ns}><id>802</id><IOUseType>whiteLight</IOUseType><IOType>digitalChannel</IOType><name>White light</name></IOOutputPort>`,
      { fixed: ['id'] },
    );
  }
  const size = p.odd.listsSayEmpty ? ' size="0"' : '';
  documents.list('/System/IO/inputs', `<IOInputPortList ${ns}${size}/>`, () => ['/System/IO/inputs/1']);
  documents.list('/System/IO/outputs', `<IOOutputPortList ${ns}${size}/>`, () => items);
  documents.add(
    '/System/IO/capabilities',
    `<IOCap ${ns}><IOInputPortNums>${ports.inputs}</IOInputPortNums><IOOutputPortNums>${ports.outputs}</IOOutputPortNums></IOCap>`,
    { readOnly: true },
  );
  const status = (type: string, id: string, active: boolean) =>
    `<IOPortStatus ${ns}><ioPortID>${id}</ioPortID><ioPortType>${type}</ioPortType><ioState>${active ? 'active' : 'inactive'}</ioState></IOPortStatus>`;
  return {
    state: () => ({ outputs: Object.fromEntries(outputs), inputs: Object.fromEntries(inputs) }),
    control: {
      input: (body) => {
        inputs.set('1', Boolean(body.active));
        return body.active
          ? device.events.begin('alarmInput', { channel: 1 })
          : { id: device.events.end('alarmInput', { channel: 1 }) };
      },
    },
    answer: ({ method, path, body, url }) => {
      if (path === '/System/IO/status' && method === 'GET') {
        const rows = [
          ...[...inputs].map(([id, on]) => status('input', id, on)),
          ...[...outputs].map(([id, on]) => status('output', id, on)),
        ];
        return { status: 200, body: `${XML_HEAD}<IOPortStatusList ${ns}>\n${rows.join('\n')}\n</IOPortStatusList>\n` };
      }
      const found = /^\/System\/IO\/(inputs|outputs)\/(\d+)\/(status|trigger)$/.exec(path);
      if (!found) return null;
      const [, side, id, verb] = found as unknown as [string, string, string, string];
      const of = side === 'inputs' ? inputs : outputs;
      const said = (sub: string | null) => {
        const what = sub ? refusal(sub) : OK;
        return { status: what.http, body: statusXml(url, what, '', p.odd.errorCodes) };
      };
      if (!of.has(id)) return said('invalidID');
      if (verb === 'status') return { status: 200, body: `${XML_HEAD}${status(side.slice(0, -1), id, of.get(id)!)}\n` };
      if (side === 'inputs' || method !== 'PUT') return said('methodNotAllowed');
      const wanted = parseXml(body.toString('utf8'));
      const state = wanted?.name === 'IOPortData' ? textOf(wanted, 'outputState') : null;
      if (state !== 'high' && state !== 'low') return said('badXmlContent');
      of.set(id, state === 'high');
      return said(null);
    },
  };
};
