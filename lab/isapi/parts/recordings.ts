import type { Recorded, RecordKind } from '../../camera/recordings.ts';
import type { MakePart } from '../../devices/device.ts';
import { refusal, statusXml } from '../answer.ts';
import { escapeXml, find, parseXml, textOf, XML_HEAD } from '../xml.ts';

const MAX_RESULTS = 40;
const KINDS: RecordKind[] = ['timing', 'motion', 'alarm', 'manual'];

/** Search in what the device has recorded (isapi §12): files in pages of 40, days of a month that have any. */
export const recordings: MakePart = (device) => {
  const { profile: p, recordings: kept } = device;
  const ns = `version="1.0" xmlns="${p.odd.namespace}"`;
  const channels = () => (p.digitalChannels > 0 ? p.analogChannels + p.digitalChannels : Math.max(1, p.analogChannels));
  const has = (track: number) => track % 100 === 1 && track > 100 && Math.floor(track / 100) <= channels();
  let searches = 0;

  const item = (track: number, file: Recorded): string => {
    const [from, to] = [kept.label(file.fromMs), kept.label(file.toMs)];
    const short = (label: string) => label.replace(/[-:]/g, '');
    const name = `ch0${Math.floor(track / 100)}_0800${String(Math.floor(file.fromMs / 1_800_000)).slice(-7)}`;
    const size = Math.round(((file.toMs - file.fromMs) / 1000) * p.kbps * 125);
    const uri = `rtsp://${p.address}/Streaming/tracks/${track}/?starttime=${short(from)}&endtime=${short(to)}&name=${name}&size=${size}`;
    return `<searchMatchItem>
<sourceID>{0000000000-0000-0000-0000-000000000000}</sourceID>
<trackID>${track}</trackID>
<timeSpan>
<startTime>${from}</startTime>
<endTime>${to}</endTime>
</timeSpan>
<mediaSegmentDescriptor>
<contentType>video</contentType>
<codecType>${kept.codec === 'h265' ? 'H.265' : 'H.264-BP'}</codecType>
<playbackURI>${escapeXml(uri)}</playbackURI>
</mediaSegmentDescriptor>
<metadataMatches>
<metadataDescriptor>recordType.meta.hikvision.com/${file.kind}</metadataDescriptor>
</metadataMatches>
</searchMatchItem>`;
  };

  return {
    state: () => ({ recordingSearches: searches }),
    control: {
      /** `files`: [{fromMs, toMs, kind}], or null for what it has by itself; `codec`: h264 or h265. */
      recordings: (body) => {
        const files = body.files as Recorded[] | null | undefined;
        kept.codec = body.codec === 'h265' ? 'h265' : 'h264';
        kept.set(files?.map(({ fromMs, toMs, kind = 'timing' }) => ({ fromMs, toMs, kind })) ?? null);
        return { files: files?.length ?? null };
      },
      /** How it plays them: {scale, speed, breaks}. */
      tracks: (body) => {
        kept.tracks = { ...kept.tracks, ...body };
        return { ...kept.tracks };
      },
    },
    answer: ({ method, path, body, url }) => {
      const said = (sub: string) => {
        const what = refusal(sub);
        return { status: p.odd.errorsWith200 ? 200 : what.http, body: statusXml(url, what, '', p.odd.errorCodes) };
      };
      if (path === '/ContentMgmt/search') {
        if (method !== 'POST') return said('methodNotAllowed');
        const asked = parseXml(body.toString('utf8'));
        if (asked?.name !== 'CMSearchDescription') return said('badXmlFormat');
        // The protocol's own spelling; another one is not understood.
        const position = Number(textOf(asked, 'searchResultPostion') ?? Number.NaN);
        const track = Number(textOf(asked, 'trackIDList/trackID') ?? textOf(asked, 'trackList/trackID'));
        const span = find(asked, 'timeSpanList/timeSpan');
        const max = Number(textOf(asked, 'maxResults') ?? MAX_RESULTS);
        if (!span || !Number.isInteger(position) || !(max >= 1)) return said('badXmlContent');
        searches++;
        const [from, to] = [textOf(span, 'startTime'), textOf(span, 'endTime')];
        const found = has(track) ? kept.between(kept.read(from ?? ''), kept.read(to ?? '')) : [];
        const page = found.slice(position, position + Math.min(max, MAX_RESULTS));
        const word = page.length === 0 ? 'NO MATCHES' : position + page.length < found.length ? 'MORE' : 'OK';
        const list =
          page.length === 0 ? '' : `<matchList>\n${page.map((f) => item(track, f)).join('\n')}\n</matchList>\n`;
        return {
          status: 200,
          body: `${XML_HEAD}<CMSearchResult ${ns}>
<searchID>${escapeXml(textOf(asked, 'searchID') ?? '')}</searchID>
<responseStatus>true</responseStatus>
<responseStatusStrg>${word}</responseStatusStrg>
<numOfMatches>${page.length}</numOfMatches>
${list}</CMSearchResult>
`,
        };
      }
      const daily = /^\/ContentMgmt\/record\/tracks\/(\d+)\/dailyDistribution$/.exec(path);
      if (!daily) return null;
      if (method !== 'POST') return said('methodNotAllowed');
      const asked = parseXml(body.toString('utf8'));
      const [year, month] = [Number(asked && textOf(asked, 'year')), Number(asked && textOf(asked, 'monthOfYear'))];
      if (!(year > 2000 && month >= 1 && month <= 12)) return said('badXmlContent');
      if (!has(Number(daily[1]))) return said('invalidID');
      const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
      const list = Array.from({ length: days }, (_, i) => {
        const from = Date.UTC(year, month - 1, i + 1) - kept.offsetMs;
        const files = kept.between(from, from + 86_400_000);
        const type = files[0] ? `<recordType>${files[0].kind === KINDS[0] ? 'time' : 'event'}</recordType>` : '';
        return `<day><id>${i + 1}</id><dayOfMonth>${i + 1}</dayOfMonth><record>${files.length > 0}</record>${type}</day>`;
      });
      return {
        status: 200,
        body: `${XML_HEAD}<trackDailyDistribution ${ns}>\n<dayList>\n${list.join('\n')}\n</dayList>\n</trackDailyDistribution>\n`,
      };
    },
  };
};
