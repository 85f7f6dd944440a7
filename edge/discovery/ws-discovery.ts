import { isIPv4 } from 'node:net';
import { clean, list, parseXml, text, type XmlNode } from '../isapi/xml.ts';
import { macOf } from './sadp.ts';

/*
 * ONVIF's search: WS-Discovery 2005/04, SOAP over UDP (onvif.md §1).
 *
 *   we → 239.255.255.250:3702   Probe, once for each of three kinds: some devices match types wrongly
 *   device → whoever asked      ProbeMatches, from any port of its own
 *   device → the group          Hello when it starts, Bye when it stops
 */
export const WSD_PORT = 3702;
const MAX_DATAGRAM_BYTES = 16 * 1024;
const MAX_TAGS = 512;
const MAX_MATCHES = 16;

const KINDS = [
  '<d:Types xmlns:n="http://www.onvif.org/ver10/network/wsdl">n:NetworkVideoTransmitter</d:Types>',
  '<d:Types xmlns:n="http://www.onvif.org/ver10/device/wsdl">n:Device</d:Types>',
  // Everything that speaks WS-Discovery; printers among them are left out by their scopes.
  '<d:Types/>',
];

/** The three probes; `uuid` gives each its own message id. */
export const probes = (uuid: () => string): Buffer[] =>
  KINDS.map((types) =>
    Buffer.from(
      `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header><a:Action s:mustUnderstand="1">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action><a:MessageID>urn:uuid:${uuid()}</a:MessageID><a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo><a:To s:mustUnderstand="1">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header><s:Body><d:Probe>${types}</d:Probe></s:Body></s:Envelope>`,
    ),
  );

/** What a device says of itself. */
export interface OnvifDevice {
  /** The endpoint's UUID, lower case: its identity while no MAC is known. */
  uuid: string;
  /** From its scopes, or from a UUID that is made of it (version 1); null: it does not say. */
  mac: string | null;
  model: string;
  /** Where the datagram came from: what is written inside can be 0.0.0.0, or somebody else's. */
  address: string;
  httpPort: number;
}

export type WsdMessage = { found: OnvifDevice[] } | { gone: string } | 'ignore' | 'malformed';

/** Reads one datagram. `ignore`: probes, our own among them, and what is no ONVIF device. */
export function readWsd(bytes: Buffer, source: string): WsdMessage {
  if (bytes.length > MAX_DATAGRAM_BYTES || count(bytes, '<') > MAX_TAGS) return 'malformed';
  const doc = parseXml(bytes);
  if (doc?.root !== 'Envelope') return 'malformed';
  const body = list(doc.node, 'Body')[0];
  if (body === undefined || typeof body === 'string') return 'malformed';
  const [kind] = Object.keys(body);
  if (kind === 'Bye') {
    const gone = uuidOf(list(body, 'Bye')[0]);
    return gone ? { gone } : 'malformed';
  }
  const matches =
    kind === 'ProbeMatches' ? list(body, 'ProbeMatches', 'ProbeMatch') : kind === 'Hello' ? list(body, 'Hello') : null;
  if (!matches) return 'ignore';
  const found = matches.slice(0, MAX_MATCHES).flatMap((match) => deviceOf(match, source) ?? []);
  return found.length > 0 ? { found } : 'ignore';
}

function count(bytes: Buffer, what: string): number {
  let n = 0;
  for (let at = bytes.indexOf(what); at >= 0; at = bytes.indexOf(what, at + 1)) n++;
  return n;
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
const uuidOf = (match: XmlNode | undefined): string | null =>
  UUID.exec(text(match, 'EndpointReference', 'Address').toLowerCase())?.[0] ?? null;

function deviceOf(match: XmlNode, source: string): OnvifDevice | null {
  const uuid = uuidOf(match);
  const scopes = text(match, 'Scopes')
    .split(/\s+/)
    .filter((scope) => /^onvif:\/\/www\.onvif\.org\//i.test(scope));
  const services = text(match, 'XAddrs')
    .split(/\s+/)
    .flatMap((written) => (URL.canParse(written) ? [new URL(written)] : []))
    .filter((url) => url.protocol === 'http:' || url.protocol === 'https:');
  const isOnvif =
    scopes.length > 0 || /onvif/i.test(text(match, 'XAddrs')) || /NetworkVideo/.test(text(match, 'Types'));
  const service = services.find((url) => url.hostname === source) ?? services.find((url) => isIPv4(url.hostname));
  if (!uuid || !isOnvif || !service) return null;
  const scope = (name: string) => {
    const path = scopes.find((s) => s.toLowerCase().includes(`onvif.org/${name}/`))?.split(/onvif\.org\/[^/]+\//i)[1];
    return clean(decode(path ?? ''), 64);
  };
  return {
    uuid,
    mac: macOf(scope('mac')) ?? macInUuid(uuid),
    model: scope('hardware') || scope('name'),
    address: source,
    httpPort: Number(service.port) || (service.protocol === 'https:' ? 443 : 80),
  };
}

/** The MAC that a UUID of version 1 is made of, as makers do; null for any other. */
export const macInUuid = (uuid: string): string | null => (uuid[14] === '1' ? macOf(uuid.slice(-12)) : null);

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
