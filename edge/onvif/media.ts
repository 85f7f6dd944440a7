import { failure, type Result } from '../isapi/answer.ts';
import { hostHeader } from '../isapi/client.ts';
import { clean, sniff } from '../isapi/xml.ts';
import type { OnvifClient } from './client.ts';
import type { Services } from './services.ts';
import { all, attribute, type Element, first, numberAt, textAt, xmlText } from './tree.ts';

export interface Profile {
  token: string;
  name: string;
  /** Of its video source, and of the configuration that uses it. */
  source: string;
  sourceConfiguration: string;
  sourceName: string;
  /** '' where it has no video encoder. */
  encoder: string;
  encoding: string;
  width: number;
  height: number;
  /** Of its PTZ and analytics configurations; '' without. */
  ptz: string;
  analytics: string;
}
/** One video source, as people count channels. */
export interface Source {
  channel: number;
  token: string;
  name: string;
  /** The main stream first, at most four. */
  streams: Profile[];
  profiles: Profile[];
}
export interface Media {
  service: 'media' | 'media2';
  sources: Source[];
}

const MAX_CHANNELS = 256;
const MAX_STREAMS = 4;
const MAX_SNAPSHOT_BYTES = 8 * 1024 * 1024;
const MAX_PROFILES_BYTES = 8 * 1024 * 1024;

/** Its profiles by video source: from media2, which alone knows H.265, else from media1. */
export async function readMedia(client: OnvifClient, services: Services, signal?: AbortSignal): Promise<Result<Media>> {
  let last: Result<Media> = failure('device-error', 'It has no video: no media service.');
  for (const service of ['media2', 'media'] as const) {
    const at = services[service];
    if (!at) continue;
    const body =
      service === 'media2' ? '<tr2:GetProfiles><tr2:Type>All</tr2:Type></tr2:GetProfiles>' : '<trt:GetProfiles/>';
    const answer = await client.call(at, body, { signal, maxBytes: MAX_PROFILES_BYTES, timeoutMs: 15_000 });
    if (!answer.ok) {
      if (answer.code !== 'device-error') return answer;
      if (!last.ok) last = answer;
      continue;
    }
    const profiles = readProfiles(answer.value);
    if (profiles.some(isVideo)) {
      return { ok: true, value: { service, sources: groupBySource(profiles, await order(client, services, signal)) } };
    }
    // Without a word of how they are coded; still, the other service may say it.
    if (!last.ok || last.value.sources.length === 0) {
      last = { ok: true, value: { service, sources: groupBySource(profiles, []) } };
    }
  }
  return last;
}

const isVideo = (p: Profile): boolean => p.encoder !== '' || p.encoding !== '';

/** Both shapes: media1 names the configurations in full, media2 puts them under Configurations. */
export function readProfiles(response: Element): Profile[] {
  return [...all(response, 'Profiles'), ...all(response, 'Profile')].flatMap((element) => {
    const token = attribute(element, 'token');
    if (token === '') return [];
    const inside = first(element, 'Configurations') ?? element;
    const part = (name: string) => first(inside, name) ?? first(inside, `${name}Configuration`);
    const source = part('VideoSource');
    const encoder = part('VideoEncoder');
    return [
      {
        token,
        name: clean(textAt(element, 'Name'), 64),
        source: textAt(source, 'SourceToken'),
        sourceConfiguration: attribute(source, 'token'),
        sourceName: clean(textAt(source, 'Name'), 128),
        encoder: attribute(encoder, 'token'),
        encoding: textAt(encoder, 'Encoding').toUpperCase(),
        width: numberAt(encoder, 'Resolution', 'Width') ?? 0,
        height: numberAt(encoder, 'Resolution', 'Height') ?? 0,
        ptz: attribute(part('PTZ'), 'token'),
        analytics: attribute(part('Analytics') ?? first(inside, 'VideoAnalyticsConfiguration'), 'token'),
      },
    ];
  });
}

/** Video source tokens in the device's own order; empty where it does not say. */
async function order(client: OnvifClient, services: Services, signal?: AbortSignal): Promise<string[]> {
  const at = services.media;
  const answer = at ? await client.call(at, '<trt:GetVideoSources/>', { signal }) : null;
  return answer?.ok ? all(answer.value, 'VideoSources').map((s) => attribute(s, 'token')) : [];
}

/** A channel for each video source; within it the largest picture first that can be recorded. */
export function groupBySource(profiles: Profile[], order: string[]): Source[] {
  const coded = profiles.filter(isVideo);
  const usable = coded.length > 0 ? coded : profiles;
  const groups = [...Map.groupBy(usable, (p) => p.source || p.sourceConfiguration).entries()];
  const place = (token: string) => (order.includes(token) ? order.indexOf(token) : order.length);
  groups.sort(([a], [b]) => place(a) - place(b));
  const names = groups.map(([, of]) => of[0]!.sourceName);
  return groups.slice(0, MAX_CHANNELS).map(([token, of], i) => {
    const rank = (p: Profile) => (/^H\.?26[45]$/.test(p.encoding) ? 1e9 : 0) + p.width * p.height;
    const streams = of.toSorted((a, b) => rank(b) - rank(a)).slice(0, MAX_STREAMS);
    const telling = names.filter((n) => n === names[i]).length === 1 && names.length > 1 ? names[i]! : '';
    return { channel: i + 1, token, name: telling || `Channel ${i + 1}`, streams, profiles: of };
  });
}

/** Where a profile is streamed, without credentials and on this host. */
export async function readStreamUri(
  client: OnvifClient,
  services: Services,
  profile: string,
  signal?: AbortSignal,
): Promise<Result<string>> {
  const token = xmlText(profile);
  const ways: [keyof Services, string][] = [
    ...(['RTSP', 'RtspUnicast'] as const).map((protocol): [keyof Services, string] => [
      'media2',
      `<tr2:GetStreamUri><tr2:Protocol>${protocol}</tr2:Protocol><tr2:ProfileToken>${token}</tr2:ProfileToken></tr2:GetStreamUri>`,
    ]),
    [
      'media',
      `<trt:GetStreamUri><trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport></trt:StreamSetup><trt:ProfileToken>${token}</trt:ProfileToken></trt:GetStreamUri>`,
    ],
  ];
  return ask(client, services, ways, (response) => streamUri(uriIn(response), client.host), signal);
}

async function ask<T>(
  client: OnvifClient,
  services: Services,
  ways: [keyof Services, string][],
  read: (response: Element) => T | null,
  signal?: AbortSignal,
): Promise<Result<T>> {
  let last: Result<T> = failure('device-error', 'It gives no address for that.');
  for (const [service, body] of ways) {
    const at = services[service];
    if (!at) continue;
    const answer = await client.call(at, body, { signal });
    if (!answer.ok) {
      last = answer;
      if (answer.code !== 'device-error') break;
      continue;
    }
    const value = read(answer.value);
    if (value !== null) return { ok: true, value };
  }
  return last;
}

const uriIn = (response: Element): string => textAt(response, 'MediaUri', 'Uri') || textAt(response, 'Uri');

/** Some write blanks and line breaks into it, addresses that nobody reaches, or a login. */
export function streamUri(written: string, host: string): string | null {
  const trimmed = written.replace(/\s+/g, '').replace(/&amp;/g, '&');
  const match = /^(rtsps?):\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^/:?]*)(?::(\d{1,5}))?([/?].*)?$/i.exec(trimmed);
  if (!match || trimmed.length > 1024) return null;
  const scheme = match[1]!.toLowerCase();
  const port = Number(match[3] ?? (scheme === 'rtsps' ? 322 : 554));
  if (port < 1 || port > 65_535) return null;
  return `${scheme}://${hostHeader(host, 80)}:${port}${match[4] ?? '/'}`;
}

/** A picture of now (GetSnapshotUri); many devices name an address that has none. */
export async function readSnapshot(
  client: OnvifClient,
  services: Services,
  profile: string,
  signal?: AbortSignal,
): Promise<Result<Buffer>> {
  const token = xmlText(profile);
  const ways: [keyof Services, string][] = [
    ['media2', `<tr2:GetSnapshotUri><tr2:ProfileToken>${token}</tr2:ProfileToken></tr2:GetSnapshotUri>`],
    ['media', `<trt:GetSnapshotUri><trt:ProfileToken>${token}</trt:ProfileToken></trt:GetSnapshotUri>`],
  ];
  const uri = await ask(client, services, ways, (r) => client.address(uriIn(r).replace(/\s+/g, '')), signal);
  if (!uri.ok) return uri;
  const answer = await client.get(uri.value, { maxBytes: MAX_SNAPSHOT_BYTES, timeoutMs: 15_000, signal });
  if (!answer.ok) return answer;
  if (answer.value.status < 300 && sniff(answer.value.body) === 'jpeg') return { ok: true, value: answer.value.body };
  const wants = answer.value.status === 401 ? ' (it wants another login for it)' : '';
  return failure('device-error', `It gives no picture${wants}.`, { status: answer.value.status });
}
