import { expect, it } from 'vitest';
import { headerBlock, upgradeHeaders } from './forward.ts';

it('what a device agrees on for a WebSocket carries no header of its own making', () => {
  const evil = ['\0', '\x0b', '\r\nSet-Cookie: a=b', '\rX: y', '\nX: y', '\x1b[0m', '\x7f'];
  const raw = evil.flatMap((bad) => ['Sec-WebSocket-Accept', `abc${bad}`]);
  const headers = upgradeHeaders([...raw, 'Set-Cookie', 'a=b', 'Sec-WebSocket-X\r\nSet-Cookie', 'c=d']);
  expect(headers.map(([name]) => name)).toEqual(evil.map(() => 'Sec-WebSocket-Accept'));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  for (const [, value] of headers) expect(value).not.toMatch(/[\x00-\x1f\x7f]/);
  expect(headerBlock(101, 'S', headers).split('\r\n')).toHaveLength(evil.length + 3);
});
