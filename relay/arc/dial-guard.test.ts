import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DialGuard } from './dial-guard.ts';

const closed = new DialGuard({ allow: [] });

describe('dial guard', () => {
  it.each([
    ...['127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1'],
    ...['::1', '[::1]', '::', 'fd00::1', 'fe80::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::7f00:1', 'ff02::1'],
    ...['::127.0.0.1', '::ffff:0:127.0.0.1', 'fe80::1%lo'],
    ...['localhost', '2130706433', '127.1', '0x7f.1'],
  ])('refuses %s', async (host) => {
    expect((await closed.resolve(host)).ok).toBe(false);
  });

  it.each(['8.8.8.8', '2606:4700::1111', '172.32.0.1'])('lets %s through as it is', async (host) => {
    expect(await closed.resolve(host)).toEqual({ ok: true, address: host });
  });

  it('lets internal addresses through only where they are allowed', async () => {
    const guard = new DialGuard({ allow: ['127.0.1.0/24', 'fd00:1::/32'] });
    expect(await guard.resolve('127.0.1.9')).toEqual({ ok: true, address: '127.0.1.9' });
    expect(await guard.resolve('fd00:1::5')).toEqual({ ok: true, address: 'fd00:1::5' });
    expect(await guard.resolve('127.0.0.1')).toMatchObject({ ok: false, reason: 'internal' });
    expect(await guard.resolve('10.0.0.1')).toMatchObject({ ok: false });
    expect(await new DialGuard({ allow: ['127.0.0.0/8'] }).resolve('::ffff:127.0.0.1')).toMatchObject({ ok: true });
  });

  it('refuses every private IPv4 address in every IPv6 clothing', async () => {
    const octet = fc.integer({ min: 0, max: 255 });
    await fc.assert(
      fc.asyncProperty(octet, octet, octet, async (a, b, c) => {
        expect((await closed.resolve(`::ffff:10.${a}.${b}.${c}`)).ok).toBe(false);
        expect((await closed.resolve(`10.${a}.${b}.${c}`)).ok).toBe(false);
      }),
    );
  });

  it('refuses ranges that it cannot read', () => {
    for (const bad of ['10.0.0.0', 'x/8', '10.0.0.0/99']) expect(() => new DialGuard({ allow: [bad] })).toThrow();
  });
});
