import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { cameByTls } from './tls.ts';

const from = (headers: Record<string, string>) => ({ headers }) as unknown as IncomingMessage;

describe('boxes come over TLS where the relay has it', () => {
  it.each([
    ['what the proxy says', { 'x-forwarded-proto': 'https' }, true],
    ['what the last proxy says', { 'x-forwarded-proto': 'https, http' }, false],
    ['in clear, through the proxy', { 'x-forwarded-proto': 'http', 'x-forwarded-for': '192.0.2.1' }, false],
    ['through a proxy that does not say', { 'x-forwarded-for': '192.0.2.1' }, true],
    ['past the proxy', {}, false],
  ])('%s', (_, headers, expected) => {
    expect(cameByTls({ https: true, proxies: 1 })(from(headers as Record<string, string>))).toBe(expected);
  });

  it('is not asked for without an https address', () => {
    expect(cameByTls({ https: false, proxies: 0 })(from({ 'x-forwarded-proto': 'http' }))).toBe(true);
  });
});
