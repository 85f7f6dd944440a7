import { expect, it } from 'vitest';
import type { IsapiClient } from '../isapi/client.ts';
import { searchTrack } from './search.ts';

it('of what a device says of a file no more is kept than a name can be', async () => {
  const match = (uri: string) =>
    `<searchMatchItem><timeSpan><startTime>2026-03-31T10:00:00Z</startTime><endTime>2026-03-31T10:10:00Z</endTime></timeSpan><mediaSegmentDescriptor><playbackURI>${uri}</playbackURI></mediaSegmentDescriptor></searchMatchItem>`;
  const uris = [
    'rtsp://192.0.2.1/Streaming/tracks/101/?name=a&amp;size=5',
    `rtsp://x/?size=6&amp;name=${'a'.repeat(100_000)}`,
  ];
  const body = `<CMSearchResult><responseStatusStrg>OK</responseStatusStrg><matchList>${uris.map(match).join('')}</matchList></CMSearchResult>`;
  const request = async () => ({ ok: true, value: { status: 200, headers: {}, body: Buffer.from(body) } });
  const day = Date.UTC(2026, 2, 31);
  const found = await searchTrack({ request } as unknown as IsapiClient, {
    track: 101,
    fromMs: day,
    toMs: day + 86_400_000,
    offset: () => 0,
  });
  expect(found.ok && found.value.items.map(({ uri, sizeBytes }) => [uri, sizeBytes])).toEqual([
    ['rtsp://192.0.2.1/Streaming/tracks/101/?name=a&size=5', 5],
    ['', 6],
  ]);
});
