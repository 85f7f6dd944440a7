import { expect, it } from 'vitest';
import { decodeG711 } from './g711.ts';
import { sdpFragment } from './whep.ts';

it('hears G.711 by both laws: silence, the loudest of both signs, and what lies between (ITU-T G.711 tables 1a, 2a)', () => {
  const heard = (law: 'pcmu' | 'pcma', ...codes: number[]) =>
    [...decodeG711(law, Uint8Array.from(codes))].map((sample) => Math.round(sample * 32_768));
  expect(heard('pcmu', 0xff, 0x7f, 0x80, 0x00, 0xef)).toEqual([0, -0, 32_124, -32_124, 132]);
  expect(heard('pcma', 0xd5, 0x55, 0xaa, 0x2a, 0xc5)).toEqual([8, -8, 32_256, -32_256, 264]);
});

it('tells later candidates as an SDP fragment (RFC 8840 §9), and that there are no more', () => {
  const offer = 'v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:secret\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n';
  const candidate = { candidate: 'candidate:1 1 udp 2 192.0.2.1 5000 typ host', sdpMid: '0' } as RTCIceCandidate;
  expect(sdpFragment(offer, [candidate]).split('\r\n')).toEqual([
    'a=ice-ufrag:abcd',
    'a=ice-pwd:secret',
    'm=video 9 UDP/TLS/RTP/SAVPF 0',
    'a=mid:0',
    'a=candidate:1 1 udp 2 192.0.2.1 5000 typ host',
    '',
  ]);
  expect(sdpFragment(offer, [])).toContain('a=end-of-candidates');
});
