import { escapeXml, find, textOf, type XmlNode } from '../isapi/xml.ts';
import type { OnvifContext, Operation } from './device-service.ts';
import { Fault } from './soap.ts';

/* Profile G: what a recorder has on its disk, searched in pieces, and where it is replayed. */
const DAY_MS = 86_400_000;
/** So many results an answer. */
const PIECE = 3;
const MAX_SEARCHES = 2;

interface Search {
  of: 'recordings' | 'events';
  results: string[];
  answers: number;
}
/** Searches under way, by token. */
export class Searches {
  readonly open = new Map<string, Search>();
  begun = 0;

  begin(of: Search['of'], results: string[]): string {
    if (this.open.size >= MAX_SEARCHES) throw new Fault('ResourceProblem', 'Too many searches', 500);
    const token = `search-${++this.begun}`;
    // They are found in any order.
    this.open.set(token, { of, results: results.toSorted((a, b) => hash(a) - hash(b)), answers: 0 });
    return token;
  }
}
const hash = (text: string): number => [...text].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 65_521, 7);

const label = (c: OnvifContext, ms: number) => new Date(ms + c.odd().clockAheadMs).toISOString();
const tokens = (c: OnvifContext) => Array.from({ length: c.sources }, (_, i) => `Recording_${i + 1}`);
const wanted = (c: OnvifContext, asked: XmlNode): string => {
  const token = textOf(asked, 'RecordingToken') ?? '';
  if (!tokens(c).includes(token)) throw new Fault('NoRecording', 'The recording does not exist');
  return token;
};
const everything = (c: OnvifContext) => c.device.recordings.spans(Date.now() - 60 * DAY_MS, Date.now() + DAY_MS);

function information(c: OnvifContext, token: string): string {
  const all = everything(c);
  const n = token.split('_')[1]!;
  const times = all.length
    ? `<tt:EarliestRecording>${label(c, all[0]![0])}</tt:EarliestRecording><tt:LatestRecording>${label(c, all.at(-1)![1])}</tt:LatestRecording>`
    : '';
  const track = (name: string, type: string) =>
    `<tt:Track><tt:TrackToken>${name}_${n}</tt:TrackToken><tt:TrackType>${type}</tt:TrackType><tt:Description/><tt:DataFrom>${label(c, all[0]?.[0] ?? 0)}</tt:DataFrom><tt:DataTo>${label(c, all.at(-1)?.[1] ?? 0)}</tt:DataTo></tt:Track>`;
  return `<tt:RecordingInformation><tt:RecordingToken>${token}</tt:RecordingToken><tt:Source><tt:SourceId>urn:ipc:${n}</tt:SourceId><tt:Name>IPCamera</tt:Name><tt:Location/><tt:Description/><tt:Address/></tt:Source>${times}<tt:Content>continuous</tt:Content>${track('Audio', 'Audio')}${track('Video', 'Video')}<tt:RecordingStatus>${all.length && Date.now() - all.at(-1)![1] < 60_000 ? 'Recording' : 'Stopped'}</tt:RecordingStatus></tt:RecordingInformation>`;
}

function events(c: OnvifContext, asked: XmlNode): string[] {
  const at = (name: string) => Date.parse(textOf(asked, name) ?? '') - c.odd().clockAheadMs;
  const [from, to] = [at('StartPoint'), find(asked, 'EndPoint') ? at('EndPoint') : Date.now()];
  if (!(from <= to)) throw new Fault('InvalidArgVal', 'StartPoint');
  const scope = find(asked, 'Scope');
  const included = scope?.children.filter((n) => n.name === 'IncludedRecordings').map((n) => n.text) ?? [];
  const topic = textOf(asked, 'SearchFilter/TopicExpression') ?? '';
  if (!topic.endsWith('RecordingHistory/Track/State')) throw new Fault('InvalidFilterFault', topic);
  const all = everything(c);
  const told: { ms: number; present: boolean; start: boolean }[] = [];
  if (textOf(asked, 'IncludeStartState') === 'true')
    told.push({ ms: from, present: all.some(([a, b]) => a <= from && from < b), start: true });
  for (const [a, b] of all) {
    if (a > from && a < to) told.push({ ms: a, present: true, start: false });
    if (b > from && b < to) told.push({ ms: b, present: false, start: false });
  }
  return tokens(c)
    .filter((token) => included.length === 0 || included.includes(token))
    .flatMap((token) =>
      ['Audio', 'Video'].flatMap((type) =>
        told.map(({ ms, present, start }) => {
          const track = `${type}_${token.split('_')[1]}`;
          return `<tt:Result><tt:RecordingToken>${token}</tt:RecordingToken><tt:TrackToken>${track}</tt:TrackToken><tt:Time>${label(c, ms)}</tt:Time><tt:Event><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">tns1:RecordingHistory/Track/State</wsnt:Topic><wsnt:Message><tt:Message UtcTime="${label(c, ms)}" PropertyOperation="${start ? 'Initialized' : 'Changed'}"><tt:Source><tt:SimpleItem Name="RecordingToken" Value="${token}"/><tt:SimpleItem Name="Track" Value="${track}"/></tt:Source><tt:Data><tt:SimpleItem Name="IsDataPresent" Value="${present}"/></tt:Data></tt:Message></wsnt:Message></tt:Event><tt:StartStateEvent>${start}</tt:StartStateEvent></tt:Result>`;
        }),
      ),
    );
}

function results(c: OnvifContext, asked: XmlNode, of: Search['of']): string {
  const token = textOf(asked, 'SearchToken') ?? '';
  const search = c.searches.open.get(token);
  // It forgets the first search in the middle of it.
  const lost = c.odd().losesSearch && token === 'search-1' && search?.answers === 1;
  if (!search || search.of !== of || lost) throw new Fault('InvalidToken', 'The search token is invalid');
  // The first answer comes before anything was found.
  const most = search.answers++ === 0 ? 0 : Math.min(PIECE, Number(textOf(asked, 'MaxResults') ?? PIECE));
  const piece = search.results.splice(0, most);
  const state = search.answers > 1 && search.results.length === 0 ? 'Completed' : 'Searching';
  return `<tse:ResultList><tt:SearchState>${state}</tt:SearchState>${piece.join('')}</tse:ResultList>`;
}

const begun = (name: string, token: string) =>
  `<tse:${name}Response><tse:SearchToken>${escapeXml(token)}</tse:SearchToken></tse:${name}Response>`;

export const searchOperations: Record<string, Operation> = {
  GetServiceCapabilities: () =>
    '<tse:GetServiceCapabilitiesResponse><tse:Capabilities MetadataSearch="false" GeneralStartEvents="false"/></tse:GetServiceCapabilitiesResponse>',
  GetRecordingSummary: (c) => {
    const all = everything(c);
    return `<tse:GetRecordingSummaryResponse><tse:Summary><tt:DataFrom>${label(c, all[0]?.[0] ?? 0)}</tt:DataFrom><tt:DataUntil>${label(c, all.at(-1)?.[1] ?? 0)}</tt:DataUntil><tt:NumberRecordings>${tokens(c).length}</tt:NumberRecordings></tse:Summary></tse:GetRecordingSummaryResponse>`;
  },
  GetRecordingInformation: (c, asked) => {
    const inside = information(c, wanted(c, asked)).replaceAll('tt:RecordingInformation>', 'tse:RecordingInformation>');
    return `<tse:GetRecordingInformationResponse>${inside}</tse:GetRecordingInformationResponse>`;
  },
  FindRecordings: (c) =>
    begun(
      'FindRecordings',
      c.searches.begin(
        'recordings',
        tokens(c).map((token) => information(c, token)),
      ),
    ),
  GetRecordingSearchResults: (c, asked) =>
    `<tse:GetRecordingSearchResultsResponse>${results(c, asked, 'recordings')}</tse:GetRecordingSearchResultsResponse>`,
  FindEvents: (c, asked) => begun('FindEvents', c.searches.begin('events', events(c, asked))),
  GetEventSearchResults: (c, asked) =>
    `<tse:GetEventSearchResultsResponse>${results(c, asked, 'events')}</tse:GetEventSearchResultsResponse>`,
  EndSearch: (c, asked) => {
    if (!c.searches.open.delete(textOf(asked, 'SearchToken') ?? '')) throw new Fault('InvalidToken', 'no such search');
    return `<tse:EndSearchResponse><tse:Endpoint>${label(c, Date.now())}</tse:Endpoint></tse:EndSearchResponse>`;
  },
};

export const recordingOperations: Record<string, Operation> = {
  GetServiceCapabilities: () =>
    '<trc:GetServiceCapabilitiesResponse><trc:Capabilities DynamicRecordings="false" DynamicTracks="false" Encoding="H264"/></trc:GetServiceCapabilitiesResponse>',
  GetRecordingJobs: (c) =>
    `<trc:GetRecordingJobsResponse>${tokens(c)
      .map(
        (token, i) =>
          `<trc:JobItem><tt:JobToken>Job_${i + 1}</tt:JobToken><tt:JobConfiguration><tt:RecordingToken>${token}</tt:RecordingToken><tt:Mode>Active</tt:Mode><tt:Priority>1</tt:Priority><tt:Source><tt:SourceToken Type="http://www.onvif.org/ver10/schema/Profile"><tt:Token>Profile_${i * 2 + 1}</tt:Token></tt:SourceToken></tt:Source></tt:JobConfiguration></trc:JobItem>`,
      )
      .join('')}</trc:GetRecordingJobsResponse>`,
};

export const replayOperations: Record<string, Operation> = {
  GetServiceCapabilities: () =>
    '<trp:GetServiceCapabilitiesResponse><trp:Capabilities ReversePlayback="false" SessionTimeoutRange="10 60" RTP_RTSP_TCP="true"/></trp:GetServiceCapabilitiesResponse>',
  GetReplayUri: (c, asked) => {
    const token = wanted(c, asked);
    if (textOf(asked, 'StreamSetup/Transport/Protocol') !== 'RTSP') throw new Fault('InvalidStreamSetup', 'RTSP only');
    const host = c.odd().xaddrHost ?? c.device.profile.address;
    return `<trp:GetReplayUriResponse><trp:Uri>rtsp://${host}:${c.device.rtspPort}/onvif/replay/${token}?a=1&amp;b=2</trp:Uri></trp:GetReplayUriResponse>`;
  },
};
