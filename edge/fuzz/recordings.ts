import { ManualClock } from '../../protocol/clock.ts';
import { readJobs, readRecording, recordingsOf } from '../onvif/recorded/recordings.ts';
import { readTrackState, spansOf, withoutDoubles } from '../onvif/recorded/spans.ts';
import { readAnswer } from '../onvif/soap.ts';
import { below } from '../onvif/tree.ts';
import { ReplayClock } from '../playback/replay-clock.ts';
import { ReplayStamps } from '../playback/replay-extension.ts';
import { parseRtp } from '../video/rtp.ts';
import { must, type Target } from './fuzz.ts';
import { type Dice, mutate } from './mutate.ts';

const HEAD =
  '<?xml version="1.0" encoding="UTF-8"?>\n<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tse="http://www.onvif.org/ver10/search/wsdl" xmlns:trc="http://www.onvif.org/ver10/recording/wsdl" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"><s:Body>';
const CORPUS = [
  '<tse:GetRecordingSearchResultsResponse><tse:ResultList><tt:SearchState>Completed</tt:SearchState><tt:RecordingInformation><tt:RecordingToken>R1</tt:RecordingToken><tt:Source><tt:SourceId>urn:1</tt:SourceId><tt:Name>Camera 1</tt:Name></tt:Source><tt:EarliestRecording>2026-11-20T00:00:00Z</tt:EarliestRecording><tt:LatestRecording>2026-11-21T00:00:00.5+01:00</tt:LatestRecording><tt:Track><tt:TrackToken>V1</tt:TrackToken><tt:TrackType>Video</tt:TrackType><tt:DataFrom>2026-11-20T00:00:00Z</tt:DataFrom><tt:DataTo>2026-11-21T00:00:00Z</tt:DataTo></tt:Track><tt:RecordingStatus>Recording</tt:RecordingStatus></tt:RecordingInformation></tse:ResultList></tse:GetRecordingSearchResultsResponse>',
  '<tse:GetEventSearchResultsResponse><tse:ResultList><tt:SearchState>Searching</tt:SearchState><tt:Result><tt:RecordingToken>R1</tt:RecordingToken><tt:TrackToken>V1</tt:TrackToken><tt:Time>2026-11-20T10:00:00Z</tt:Time><tt:Event><wsnt:Topic>tns1:RecordingHistory/Track/State</wsnt:Topic><wsnt:Message><tt:Message UtcTime="2026-11-20T10:00:00Z"><tt:Data><tt:SimpleItem Name="IsDataPresent" Value="false"/></tt:Data></tt:Message></wsnt:Message></tt:Event></tt:Result><tt:Result><tt:RecordingToken>R1</tt:RecordingToken><tt:TrackToken>V1</tt:TrackToken><tt:Time>2026-11-20T11:00:00Z</tt:Time><tt:Event><wsnt:Topic>tns1:RecordingHistory/Track/State</wsnt:Topic><wsnt:Message><tt:Message><tt:Data><tt:SimpleItem Name="IsDataPresent" Value="1"/></tt:Data></tt:Message></wsnt:Message></tt:Event></tt:Result></tse:ResultList></tse:GetEventSearchResultsResponse>',
  '<trc:GetRecordingJobsResponse><trc:JobItem><tt:JobConfiguration><tt:RecordingToken>R1</tt:RecordingToken><tt:Source><tt:SourceToken><tt:Token>P1</tt:Token></tt:SourceToken></tt:Source></tt:JobConfiguration></trc:JobItem></trc:GetRecordingJobsResponse>',
].map((body) => Buffer.from(`${HEAD}${body}</s:Body></s:Envelope>`));
const SOURCES = [1, 2].map((channel) => ({
  channel,
  token: `VideoSource_${channel}`,
  name: '',
  streams: [],
  profiles: [{ token: `P${channel}`, sourceConfiguration: `C${channel}` }] as never,
}));
const RANGE = { fromMs: Date.UTC(2026, 10, 20), toMs: Date.UTC(2026, 10, 22) };

/** Packets of pictures with the replay extension, as a device stamps them. */
function stamped(dice: Dice): Buffer[] {
  let seconds = 2_208_988_800 + Math.floor(RANGE.fromMs / 1000) + dice.below(100_000);
  return Array.from({ length: 2 + dice.below(20) }, (_, i) => {
    const packet = Buffer.alloc(40);
    packet.writeUInt16BE(0x9060, 0);
    packet.writeUInt16BE(i, 2);
    packet.writeUInt32BE(i * 3_600, 4);
    packet.writeUInt32BE(0xabac0003, 12);
    if (dice.below(4) === 0) seconds += dice.below(30);
    packet.writeUInt32BE(seconds % 2 ** 32, 16);
    packet.writeUInt32BE(dice.below(2 ** 32), 20);
    packet[24] = dice.below(256);
    return packet;
  });
}

export const RECORDINGS: Target[] = [
  {
    name: 'ONVIF recordings',
    share: 8,
    run(dice, input) {
      const body = mutate(dice.of(CORPUS), dice, CORPUS);
      input(body);
      const answer = readAnswer(body);
      if (answer.kind !== 'response') return;
      const recordings = below(answer.element, 'RecordingInformation').flatMap((e) => readRecording(e) ?? []);
      const states = below(answer.element, 'Result').flatMap((e) => readTrackState(e) ?? []);
      for (const { atMs } of states) must(Number.isFinite(atMs), 'an event at no time');
      const jobs = readJobs(answer.element);
      for (const source of SOURCES) recordingsOf(source.channel, SOURCES, { recordings, jobs, complete: true });
      const told = [
        ...recordings,
        { token: 'R1', sourceId: '', name: '', fromMs: null, toMs: null, growing: true, tracks: [] },
      ];
      const spans = withoutDoubles(told.map((r) => spansOf(r, states, RANGE)));
      for (const [i, span] of spans.entries()) {
        must(span.fromMs < span.toMs && span.fromMs >= RANGE.fromMs && span.toMs <= RANGE.toMs, 'a span that is none');
        must(i === 0 || span.fromMs >= spans[i - 1]!.toMs, 'one moment twice');
      }
    },
  },
  {
    name: 'replay stamps',
    share: 8,
    run(dice, input) {
      const packets = stamped(dice).map((p, _, all) => (dice.below(3) ? p : mutate(p, dice, all, 2_048)));
      input(Buffer.concat(packets));
      const stamps = new ReplayStamps();
      const time = new ManualClock();
      const clock = new ReplayClock({ fromMs: RANGE.fromMs, speed: dice.of([0.25, 1, 8]), shown: 0, gapsLast: true });
      let shown = -1;
      let ticks = 0;
      for (const packet of packets) {
        stamps.take(packet);
        const rtp = parseRtp(packet);
        if (!rtp) continue;
        ticks += 3_600;
        const place = clock.place({ ticks, compositionOffset: 0, monoMs: time.mono() }, stamps.of(rtp.timestamp));
        must(Number.isFinite(place.recordedMs) && place.shown > shown, 'time that runs backwards');
        shown = place.shown;
      }
    },
  },
];
