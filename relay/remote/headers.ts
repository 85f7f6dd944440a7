import { Links, type Names } from './links.ts';

/** Of one hop, and what a proxy may not pass on (RFC 9110 §7.6.1). */
const HOP = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade', 'http2-settings', 'expect'],
]);
/** Of the way to the relay, or of the browser's guard against other sites: the relay has looked at it. */
const NOT_TO_DEVICE =
  /^(x-forwarded-.*|x-real-ip|forwarded|via|cf-.*|true-client-ip|sec-fetch-.*|sec-gpc|dnt|priority|upgrade-insecure-requests|accept-encoding|host|origin|referer|cookie)$/;
/** What a device says about its host for longer than the session, or about others. */
const NOT_TO_BROWSER = new Set([
  ...['strict-transport-security', 'public-key-pins', 'public-key-pins-report-only', 'expect-ct', 'alt-svc', 'nel'],
  ...['report-to', 'reporting-endpoints', 'clear-site-data', 'service-worker-allowed', 'x-robots-tag', 'refresh'],
  ...['referrer-policy', 'origin-agent-cluster', 'cross-origin-opener-policy', 'cross-origin-resource-policy'],
]);
/** Values that may name the device's address. */
const WITH_LINKS = new Set([
  ...['link', 'content-location', 'content-security-policy', 'content-security-policy-report-only', 'www-authenticate'],
  ...['access-control-allow-origin', 'sourcemap'],
]);
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/g;

/** The relay's own cookies on an origin of a device. Over https browsers take them from this host alone. */
export function cookieNames(secure: boolean): { session: string; state: string } {
  const prefix = secure ? '__Host-' : '';
  return { session: `${prefix}gp_device`, state: `${prefix}gp_device_state` };
}
const isOurs = (name: string): boolean => /^(__host-|__secure-)?gp_/i.test(name.trim());

export function pairs(raw: readonly string[]): [name: string, value: string][] {
  return Array.from({ length: raw.length >> 1 }, (_, i) => [raw[2 * i] as string, raw[2 * i + 1] as string]);
}

/** A value that a browser can take: devices' web servers are read leniently. */
export const clearValue = (value: string): string => value.replace(CONTROL, '');

/** The cookies of a Cookie header. */
export function cookiesOf(header: string | undefined): [name: string, value: string][] {
  return (header ?? '').split(';').flatMap((part): [string, string][] => {
    const at = part.indexOf('=');
    const name = (at < 0 ? part : part.slice(0, at)).trim();
    return name === '' ? [] : [[name, at < 0 ? '' : part.slice(at + 1).trim()]];
  });
}

/** The device's own origin, as its pages know it. */
export function deviceOrigin({ address, tls }: Names): string {
  return tls ? `https://${address.replace(/:443$/, '')}` : `http://${address.replace(/:80$/, '')}`;
}

/** What the device gets of a request's headers: as if the browser stood in its LAN, and nothing of the relay's. */
export function toDevice(raw: readonly string[], names: Names): [string, string][] {
  const device = deviceOrigin(names);
  const all = pairs(raw);
  const named = new Set(
    all.flatMap(([name, value]) =>
      name.toLowerCase() === 'connection' ? value.split(',').map((one) => one.trim().toLowerCase()) : [],
    ),
  );
  const out: [string, string][] = [['Host', device.slice(device.indexOf('//') + 2)]];
  for (const [name, value] of all) {
    const low = name.toLowerCase();
    if (HOP.has(low) || named.has(low)) continue;
    if (!NOT_TO_DEVICE.test(low)) out.push([name, value]);
    else if (low === 'origin' && value === names.origin) out.push([name, device]);
    else if (low === 'referer' && value.startsWith(`${names.origin}/`))
      out.push([name, device + value.slice(names.origin.length)]);
    // Nothing else is understood here, when links in it are to be changed.
    else if (low === 'accept-encoding' && /\bgzip\b/i.test(value)) out.push([name, 'gzip']);
    else if (low === 'cookie') {
      const kept = cookiesOf(value).filter(([cookie]) => !isOurs(cookie));
      if (kept.length > 0) out.push([name, kept.map(([cookie, text]) => `${cookie}=${text}`).join('; ')]);
    }
  }
  return out;
}

/** What the browser gets of an answer's headers; `Location` is the caller's. */
export function toBrowser(raw: readonly string[], names: Names, secure: boolean): [string, string][] {
  const links = new Links(names);
  const out: [string, string][] = [];
  let cache = '';
  const all = pairs(raw);
  // A length beside chunks, or a second length, is wrong: the connection's end says how long it is.
  const lengths = all.filter(([name]) => /^(content-length|transfer-encoding)$/i.test(name)).length;
  for (const [name, dirty] of all) {
    const low = name.toLowerCase();
    if (!TOKEN.test(name) || HOP.has(low) || low === 'location') continue;
    if (low === 'content-length' && lengths > 1) continue;
    const value = clearValue(dirty);
    if (low === 'refresh') out.push([name, links.rewrite(value)]);
    else if (NOT_TO_BROWSER.has(low)) continue;
    else if (low === 'cache-control') cache += `, ${value}`;
    else if (low === 'set-cookie') {
      const cookie = setCookie(value, secure);
      if (cookie !== null) out.push([name, cookie]);
    } else if (low.startsWith('content-security-policy')) {
      const policy = links.rewrite(value);
      out.push([name, secure ? policy : policy.replace(/upgrade-insecure-requests\s*;?/gi, '')]);
    } else out.push([name, WITH_LINKS.has(low) ? links.rewrite(value) : value]);
  }
  const directives = cache
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '' && !/^(public|private|s-maxage)\b/i.test(one));
  out.push(['Cache-Control', ['private', ...directives].join(', ')], ...HARDENING);
  return out;
}

/**
 * On every answer. Policies add up, so that of the device's own holds too; its scripts are left to it, since the origin has
 * nothing else. `same-origin` tells its address nobody, and lets devices that look at the Referer work.
 */
export const HARDENING: readonly [string, string][] = [
  ['Content-Security-Policy', "frame-ancestors 'self'"],
  ['Referrer-Policy', 'same-origin'],
  ['X-Robots-Tag', 'noindex, nofollow'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Origin-Agent-Cluster', '?1'],
];

/** A device's cookie stays on the session's origin, and cannot take the relay's place; null: it is not let through. */
function setCookie(value: string, secure: boolean): string | null {
  const [pair = '', ...attributes] = value.split(';');
  if (isOurs(pair.split('=')[0] ?? '') || pair.trim() === '') return null;
  const kept = attributes.filter((attribute) => {
    const [name, text] = attribute.split('=').map((part) => part.trim().toLowerCase());
    if (name === 'domain' || name === '') return false;
    return secure || (name !== 'secure' && name !== 'partitioned' && !(name === 'samesite' && text === 'none'));
  });
  return [pair, ...kept].join(';');
}
