import { clean, parseXml, text } from '../isapi/xml.ts';
import { looksLikeDevice } from './makers.ts';
import { macOf } from './sadp.ts';
import { macInUuid } from './ws-discovery.ts';

/*
 * SSDP (UPnP Device Architecture 2.0 §1): HTTP heads over UDP. What a device is stands in a document of its own, at LOCATION.
 *
 *   we → 239.255.255.250:1900    M-SEARCH for root devices
 *   device → whoever asked       HTTP/1.1 200 OK
 *   device → the group           NOTIFY, ssdp:alive or ssdp:byebye
 */
export const SSDP_PORT = 1900;
const MAX_DATAGRAM_BYTES = 4 * 1024;
const MAX_PATH = 256;

export const ssdpSearch = (): Buffer =>
  Buffer.from(
    `M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:${SSDP_PORT}\r\nMAN: "ssdp:discover"\r\nMX: 2\r\nST: upnp:rootdevice\r\n\r\n`,
  );

/** `path` and `port`: where the device that sent this describes itself. */
export type SsdpMessage =
  | { uuid: string; described: { port: number; path: string } }
  | { gone: string }
  | 'ignore'
  | 'malformed';

/**
 * Reads one datagram. A LOCATION that names any other host than the datagram's source is ignored: the box would be made to
 * knock there.
 */
export function readSsdp(bytes: Buffer, source: string): SsdpMessage {
  if (bytes.length > MAX_DATAGRAM_BYTES) return 'malformed';
  const [first = '', ...lines] = bytes.toString('latin1').split(/\r?\n/);
  if (/^M-SEARCH \* HTTP\/1\.1/i.test(first)) return 'ignore';
  const notice = /^NOTIFY \* HTTP\/1\.1/i.test(first);
  if (!notice && !/^HTTP\/1\.[01] 200\b/i.test(first)) return 'malformed';
  const headers = new Map<string, string>();
  for (const line of lines) {
    const cut = line.indexOf(':');
    if (cut > 0) headers.set(line.slice(0, cut).trim().toLowerCase(), line.slice(cut + 1).trim());
  }
  const uuid = /^uuid:([\w-]{1,64})/i.exec(headers.get('usn') ?? '')?.[1]?.toLowerCase();
  if (!uuid) return 'malformed';
  if (notice && /byebye/i.test(headers.get('nts') ?? '')) return { gone: uuid };
  const location = headers.get('location') ?? '';
  if (!URL.canParse(location)) return 'malformed';
  const { protocol, hostname, port, pathname, search, username } = new URL(location);
  const path = pathname + search;
  if (protocol !== 'http:' || hostname !== source || username !== '' || path.length > MAX_PATH) return 'ignore';
  return { uuid, described: { port: Number(port) || 80, path } };
}

/** What a device says of itself in its description. */
export interface UpnpDevice {
  mac: string | null;
  serial: string;
  model: string;
  httpPort: number;
}

/** Reads a device description (UDA 2.0 §2.3); null: no video or security device, or no description. */
export function readDescription(xml: Buffer, source: string, port: number): UpnpDevice | null {
  const doc = parseXml(xml);
  if (doc?.root !== 'root') return null;
  const field = (name: string) => clean(text(doc.node, 'device', name), 64);
  const names = ['manufacturer', 'friendlyName', 'modelName', 'modelDescription', 'deviceType'].map(field);
  if (!names.some(looksLikeDevice)) return null;
  const page = text(doc.node, 'device', 'presentationURL');
  const url = URL.canParse(page) ? new URL(page) : null;
  const uuid = /[0-9a-f-]{36}/.exec(field('UDN').toLowerCase())?.[0] ?? '';
  const serial = field('serialNumber');
  const mac = macOf(serial) ?? macInUuid(uuid);
  return {
    mac,
    serial: macOf(serial) ? '' : serial,
    model: field('modelNumber').length > field('modelName').length ? field('modelNumber') : field('modelName'),
    httpPort: url && url.protocol === 'http:' && url.hostname === source ? Number(url.port) || 80 : port,
  };
}
