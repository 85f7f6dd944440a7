import type { MakePart } from '../../devices/device.ts';
import { OK, refusal, statusJson } from '../answer.ts';
import { parseXml, textOf, XML_HEAD } from '../xml.ts';

/** Care and fall radars. No capture of one was found: paths and words here are made up after the datasheets. */
export const radar: MakePart = (device) => {
  const { documents, profile: p } = device;
  const care = p.kind === 'care-radar';
  documents.add(
    '/Radar/channels/1/param',
    `<RadarParam version="2.0" xmlns="${p.odd.namespace}"><id>1</id><mountingHeight>2.2</mountingHeight><mountingType>${care ? 'ceiling' : 'wall'}</mountingType><sensitivityLevel>50</sensitivityLevel><fallConfirmTime>30</fallConfirmTime>${care ? '<heartRateHigh>120</heartRateHigh><heartRateLow>45</heartRateLow><respirationHigh>30</respirationHigh><respirationLow>8</respirationLow>' : ''}</RadarParam>`,
    { fixed: ['id'], values: { sensitivityLevel: [0, 100], fallConfirmTime: [5, 300] } },
  );
  let linked: string | null = null;
  return {
    state: () => ({ linkedCamera: linked }),
    answer: ({ method, path, body, url }) => {
      if (path === '/Radar/channels/1/status' && method === 'GET') {
        const vital = care ? '<heartRate>64</heartRate><respirationRate>14</respirationRate>' : '';
        return {
          status: 200,
          body: `${XML_HEAD}<RadarStatus version="2.0" xmlns="${p.odd.namespace}"><presence>true</presence><peopleNum>1</peopleNum>${vital}</RadarStatus>\n`,
        };
      }
      if (path !== '/Radar/channels/1/linkageCamera') return null;
      if (method === 'PUT') linked = textOf(parseXml(body.toString('utf8')) ?? parseXml('<a/>')!, 'ipAddress');
      const said = method === 'PUT' ? OK : refusal('methodNotAllowed');
      return { status: said.http, type: 'application/json', body: statusJson(url, said) };
    },
  };
};
