import { describe, expect, it } from 'vitest';
import { DeviceOrigins, localOrigin } from './origin.ts';

const portal = new URL('https://relay.example.org');

describe('origins of devices', () => {
  it('are known by their host, in the one way in which browsers write it', () => {
    const origins = DeviceOrigins.parse('https://*.Devices.example.net', portal);
    const label = origins.newLabel();
    expect(origins.of(label)).toBe(`https://${label}.devices.example.net`);
    expect(origins.label(`${label}.devices.example.net`)).toBe(label);
    for (const host of [
      `${label}.devices.example.net:8443`,
      `x${label}.devices.example.net`,
      'devices.example.net',
      label,
    ])
      expect(origins.label(host)).toBeNull();
    expect(origins.secure).toBe(true);
    expect(new Set(Array.from({ length: 1_000 }, () => origins.newLabel())).size).toBe(1_000);
  });

  it.each([
    'x.devices.example.net',
    'DEVICES.example.net',
    'a.b.devices.example.net.',
    'x.devices.example.net:1',
  ])('the portal is not served at %s', (host) =>
    expect(DeviceOrigins.parse('https://*.devices.example.net', portal).owns(host)).toBe(true));
  it.each([
    'relay.example.org',
    'devices.example.net.evil.example',
    'xdevices.example.net',
    undefined,
    '',
  ])('but at %s', (host) =>
    expect(DeviceOrigins.parse('https://*.devices.example.net', portal).owns(host)).toBe(false));

  it.each([
    ['https://*.example.org', /share this domain/],
    ['https://*.relay.example.org', /share this domain/],
    ['http://*.devices.example.net', /must be https/],
    ['https://devices.example.net', /an address like/],
    ['https://*.devices.example.net/path', /an address like/],
    ['*.devices.example.net', /an address like/],
  ])('%s is no good', (text, why) => expect(() => DeviceOrigins.parse(text, portal)).toThrow(why));

  it('are there without a setting on this machine alone', () => {
    expect(localOrigin(null, 8080)).toBe('http://*.localhost:8080');
    expect(localOrigin(new URL('http://127.0.0.1:9000'), 8080)).toBe('http://*.localhost:9000');
    expect(localOrigin(portal, 8080)).toBeNull();
    expect(DeviceOrigins.parse('http://*.localhost:80').owns('localhost:8080')).toBe(false);
  });
});
