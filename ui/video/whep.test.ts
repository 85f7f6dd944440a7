import { expect, it } from 'vitest';
import { withoutSound } from './whep.ts';

it('an answer can be taken as if no sound were sent', () => {
  const head = 'v=0\r\na=group:BUNDLE 0 1\r\n';
  const video =
    'm=video 9 UDP/TLS/RTP/SAVPF 108\r\na=mid:0\r\na=sendonly\r\na=ssrc:1 cname:gatepost\r\na=msid:gatepost video\r\n';
  const audio = (lines: string) => `m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:1\r\n${lines}a=rtcp-mux\r\n`;
  const sound = audio(
    'a=sendonly\r\na=ssrc:2 cname:gatepost\r\na=ssrc:2 msid:gatepost audio\r\na=msid:gatepost audio\r\n',
  );
  expect(withoutSound(head + video + sound)).toBe(head + video + audio('a=inactive\r\n'));
  const refused = 'm=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:1\r\na=inactive\r\n';
  for (const one of [head + video, head + refused + video]) expect(withoutSound(one)).toBe(one);
});
