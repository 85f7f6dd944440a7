import pino from 'pino';
import { expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { FakeSource, FakeSources, H264 } from './testing/fake-source.ts';
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

it('answers a player that is no browser', async () => {
  const sources = new FakeSources();
  sources.main = new FakeSource(H264, systemClock.mono());
  const view = new WebRtcView({
    offer: { viewId: uuidv7(), deviceId: uuidv7(), channel: 1, stream: 'main', sdp: OFFER, iceServers: [] },
    ...{ sources, clock: systemClock, log: pino({ level: 'silent' }), line: () => {}, end: () => {} },
  });
  const answer = await view.answer();
  view.close();
  if (typeof answer === 'string') throw new Error(answer);
  expect(answer.sdp.match(/^m=.*$/gm)).toEqual([expect.stringMatching(/^m=video \d+ UDP\/TLS\/RTP\/SAVPF 98\r?$/)]);
  expect(answer.sdp).toMatch(/a=mid:video0\r\n/);
  expect(answer.sdp).toMatch(/a=sendonly\r\n[\s\S]*a=rtpmap:98 H264\/90000/);
  expect(answer.sdp).toMatch(/a=setup:(active|passive)/);
});
