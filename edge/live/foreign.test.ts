import pino from 'pino';
import { beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { FakeSource, FakeSources, H264, H265 } from './testing/fake-source.ts';
import { WebRtcView } from './web-rtc-view.ts';

/** What webrtcbin of GStreamer 1.22 offers, word for word: pictures alone, H.264 in two forms with another codec between. */
const OFFER = [
  'v=0',
  'o=- 7340160957621358547 0 IN IP4 0.0.0.0',
  's=-',
  't=0 0',
  'a=ice-options:trickle',
  'a=group:BUNDLE video0',
  'm=video 9 UDP/TLS/RTP/SAVPF 98 96 97',
  'c=IN IP4 0.0.0.0',
  'a=setup:actpass',
  'a=ice-ufrag:mYHvljiHXP0NnBpIrBhfGKMQTKdbNIhv',
  'a=ice-pwd:21BvDsbeDLGtM0xtrTPB7MPUOTh94MrY',
  'a=rtcp-mux',
  'a=rtcp-rsize',
  'a=recvonly',
  'a=rtpmap:98 H264/90000',
  'a=rtcp-fb:98 nack pli',
  'a=rtcp-fb:98 ccm fir',
  'a=rtcp-fb:98 transport-cc',
  'a=fmtp:98 packetization-mode=1;profile-level-id=42e01f',
  'a=rtpmap:96 VP8/90000',
  'a=rtcp-fb:96 nack pli',
  'a=rtcp-fb:96 ccm fir',
  'a=rtcp-fb:96 transport-cc',
  'a=rtpmap:97 H264/90000',
  'a=rtcp-fb:97 nack pli',
  'a=rtcp-fb:97 ccm fir',
  'a=rtcp-fb:97 transport-cc',
  'a=fmtp:97 packetization-mode=0;profile-level-id=42001f',
  'a=mid:video0',
  'a=fingerprint:sha-256 2A:37:8A:F1:3C:5B:60:86:A9:20:59:88:07:C1:F6:69:EF:C3:81:FB:90:65:1C:45:D4:2B:A9:01:40:CD:74:56',
  'a=rtcp-mux-only',
  'a=candidate:1 1 UDP 2015363327 192.0.2.2 56185 typ host',
  'a=candidate:4 1 UDP 2015363583 fd00::2 42313 typ host',
  '',
].join('\r\n');

let sources: FakeSources;
beforeEach(() => {
  sources = new FakeSources();
  sources.main = new FakeSource(H264, systemClock.mono());
  sources.main.push(true);
});
async function answer(sdp: string) {
  const view = new WebRtcView({
    offer: { viewId: uuidv7(), deviceId: uuidv7(), channel: 1, stream: 'main', sdp, iceServers: [] },
    sources,
    clock: systemClock,
    log: pino({ level: 'silent' }),
    line: () => {},
    end: () => {},
  });
  const answer = await view.answer();
  view.close();
  expect(sources.main!.consumers.size).toBe(0);
  return typeof answer === 'string' ? answer : answer.sdp;
}
const section = (...lines: string[]) => [...lines, ''].join('\r\n');
const DATA = section(
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 0.0.0.0',
  'a=mid:d',
  'a=sctp-port:5000',
);
const SOUND = (port: number) =>
  section(
    `m=audio ${port} UDP/TLS/RTP/SAVPF 111`,
    'c=IN IP4 0.0.0.0',
    'a=mid:a',
    'a=recvonly',
    'a=rtpmap:111 opus/48000/2',
  );
const withBefore = (mids: string, sections: string) =>
  OFFER.replace('BUNDLE video0', `BUNDLE ${mids} video0`).replace('m=video', `${sections}m=video`);

it('answers a player that is no browser', async () => {
  const sdp = await answer(OFFER);
  expect(sdp.match(/^m=.*$/gm)).toEqual([expect.stringMatching(/^m=video \d+ UDP\/TLS\/RTP\/SAVPF 98\r?$/)]);
  expect(sdp).toMatch(/a=mid:video0\r\n/);
  expect(sdp).toMatch(/a=sendonly\r\n[\s\S]*a=rtpmap:98 H264\/90000/);
  expect(sdp).toMatch(/a=setup:(active|passive)/);
});

it('has no data channels: what a viewer would send by them is refused, each section in its place (RFC 3264 §6)', async () => {
  const sdp = await answer(withBefore('d a', DATA + SOUND(0)));
  const sections = sdp.split(/^(?=m=)/m);
  expect(sections.map((text) => text.split('\r\n')[0]!.replace(/(m=video|RTP) [1-9]\d*/, '$1'))).toEqual([
    'v=0',
    'm=application 0 UDP/DTLS/SCTP webrtc-datachannel',
    'm=audio 0 UDP/TLS/RTP/SAVPF 111',
    'm=video UDP/TLS/RTP/SAVPF 98',
  ]);
  expect(sdp).toMatch(/^a=group:BUNDLE video0\r$/m);
  expect(sdp).not.toMatch(/sctp-port/);
  const behind = await answer(`${OFFER.replace('BUNDLE video0', 'BUNDLE video0 d')}${DATA}`);
  expect(behind.match(/^m=\w+ 0?/gm)).toEqual(['m=video ', 'm=application 0']);
});

it.each([
  ['passive', (sdp: string) => sdp.replace('actpass', 'passive'), /a=setup:active/],
  ['active', (sdp: string) => sdp.replace('actpass', 'active'), /a=setup:passive/],
  ['lines that end in LF', (sdp: string) => sdp.replaceAll('\r\n', '\n'), /a=sendonly/],
  ['addresses by name, ICE-TCP and nonsense', (sdp: string) => `${sdp}${ADDRESSES}`, /a=sendonly/],
  ['sound on the same transport', () => withBefore('a', SOUND(9)), /m=audio \d+ .*111[\s\S]*a=inactive[\s\S]*m=video/],
])('answers an offer with %s', async (_, change, expected) => {
  expect(await answer(change(OFFER))).toMatch(expected);
});
const ADDRESSES = section(
  'a=candidate:1 1 udp 2113937151 0f1e2d3c-1111-4222-8333-444455556666.local 51000 typ host',
  'a=candidate:2 1 TCP 1015021823 192.0.2.2 9 typ host tcptype active',
  'a=candidate:3 1 TCP 1010827519 192.0.2.2 47977 typ host tcptype passive',
  'a=candidate:4 9 udp x 192.0.2.2 99999 typ nothing',
);

it('says when there is nothing to send to a player: sound alone, or other codecs', async () => {
  expect(await answer(OFFER.split('m=video')[0]!.replace('BUNDLE video0', 'BUNDLE a') + SOUND(9))).toBe('no-section');
  expect(await answer(OFFER.replaceAll('H264/', 'AV1/'))).toBe('no-codec');
  expect(await answer(OFFER.replaceAll('H264/', 'H265/'))).toBe('no-codec');
  expect(await answer(OFFER.replaceAll('packetization-mode=1', 'packetization-mode=0'))).toBe('no-codec');
  sources.main = new FakeSource(H265, systemClock.mono());
  sources.main.push(true);
  expect(await answer(OFFER.replace('98 H264/', '98 H265/'))).toMatch(/a=rtpmap:98 H265\/90000/);
});

it('takes 200 offers that were spoilt on the way', async () => {
  const lines = withBefore('d a', DATA + SOUND(9)).split('\r\n');
  const any = (n: number) => Math.floor(Math.random() * n);
  const spoil = [
    (all: string[]) => all.splice(any(all.length), 1),
    (all: string[]) => all.splice(any(all.length), 0, all[any(all.length)]!),
    (all: string[]) => {
      const at = any(all.length);
      all[at] = all[at]!.slice(0, any(30)) + String.fromCharCode(any(256)).repeat(any(300));
    },
    (all: string[]) => all.splice(any(all.length), 0, all.splice(any(all.length), 1)[0]!),
    (all: string[]) => all.push(`m=video 9 UDP/TLS/RTP/SAVPF 98`, `a=mid:${any(3)}`, 'a=rtpmap:98 H264/90000'),
  ];
  const seen = new Map<string, number>();
  for (let i = 0; i < 200; i++) {
    const all = [...lines];
    for (let n = 0; n <= i % 4; n++) spoil[any(spoil.length)]!(all);
    const said = await answer(all.join('\r\n'));
    const kind = said.startsWith('v=0') ? 'answer' : said;
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
  }
  expect([...seen.values()].reduce((a, b) => a + b)).toBe(200);
  expect(await answer(OFFER)).toContain('a=sendonly');
}, 30_000);
