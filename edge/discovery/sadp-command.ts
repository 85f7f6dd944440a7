import { constants, createCipheriv, createHash, type KeyObject, privateDecrypt } from 'node:crypto';
import { clean, parseXml, text, type XmlNode } from '../isapi/xml.ts';
import { macOf, readDatagram, type SadpDevice } from './sadp.ts';

/*
 * SADP's commands (sadp.md §4–8). Every device hears them, the one with that MAC acts:
 *
 *   we → group       <Probe><Uuid/><MAC/><Types>COMMAND</Types>…</Probe>
 *   device → group, or whoever asked
 *                    <ProbeMatch><Uuid/><MAC/><Types>COMMAND</Types><Result>success|failed|denied</Result>…</ProbeMatch>
 *
 *   inquiry         how it is now, with what its passwords are hidden by
 *   update          addresses and ports, all of them each time
 *   exchangecode    our RSA key → a random text, good once; activate: the first password, encrypted with it
 *   getsecurityquestion, setsecurityquestion, AnswerReset, SetMailBox, MailReset, ezvizUnbind
 *                   as the vendor's tool writes them; no captured device proves these: unverified
 */
const MAX_DATAGRAM_BYTES = 8 * 1024;

/** What a device says of itself, and what commands to it need. */
export interface SadpState extends SadpDevice {
  /** Devices that name one want passwords hidden with it. */
  salt: string | null;
  commandPort: number;
  tlsPort: number | null;
  ipv6: { address: string; gateway: string; maskLength: number };
  canAnswerQuestions: boolean;
  canMail: boolean;
  /** What of a password reset it offers at all. */
  canReset: boolean;
}

export interface SadpReply {
  result: 'success' | 'failed' | 'denied';
  /** Everything it said beside that, for reasons and tries left. */
  node: XmlNode;
  code: string;
}

const escapeXml = (value: string) =>
  value.replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' })[c]!);
const element = (name: string, value: string | number | boolean) => `<${name}>${escapeXml(String(value))}</${name}>`;
const probe = (body: string) => Buffer.from(`<?xml version="1.0" encoding="utf-8"?><Probe>${body}</Probe>`);

/** A command in the order that the vendor's tool writes: `Uuid, MAC, Types`, then what it needs. `body` is XML. */
export const command = (uuid: string, mac: string, type: string, body = ''): Buffer =>
  probe(element('Uuid', uuid.toUpperCase()) + element('MAC', mac) + element('Types', type) + body);

export type Addressing =
  | { dhcp: true }
  | { dhcp: false; address: string; subnetMask: string; gateway: string | null; dns?: string[] };

/** `update` names every network parameter: what is not to change stands as the device told it. Null: see {@link passwordElement}. */
export function updateCommand(uuid: string, device: SadpState, password: string, to: Addressing): Buffer | null {
  const hidden = passwordElement(device, password);
  if (hidden === null) return null;
  const kept = { address: device.address, subnetMask: device.subnetMask ?? '255.255.255.0', gateway: device.gateway };
  const { address, subnetMask, gateway } = to.dhcp ? kept : to;
  const fields: [string, string | number | boolean][] = [
    ['IPv4Address', address],
    ['CommandPort', device.commandPort],
    ['IPv4SubnetMask', subnetMask],
    ['IPv4Gateway', gateway ?? '0.0.0.0'],
    ['IPv6Address', device.ipv6.address],
    ['IPv6Gateway', device.ipv6.gateway],
    ['IPv6MaskLen', device.ipv6.maskLength],
    ['DHCP', to.dhcp],
    ['HttpPort', device.httpPort ?? 80],
    ...(device.tlsPort === null ? [] : [['SDKOverTLSPort', device.tlsPort] as [string, number]]),
  ];
  const head = element('Uuid', uuid.toUpperCase()) + element('Types', 'update') + element('PWErrorParse', true);
  return probe(
    head + element('MAC', device.mac) + hidden + fields.map(([name, value]) => element(name, value)).join(''),
  );
}

/**
 * The password as this generation of firmware wants it (sadp.md §5). It is always there: some took commands without. Null for
 * firmware before V5.3, which wants it in plain text: all of the LAN would hear it, and whoever answers in a device's name could
 * ask for it. Such devices are set over ISAPI.
 */
export function passwordElement(
  { salt, activated }: Pick<SadpState, 'salt' | 'activated'>,
  password: string,
): string | null {
  if (salt !== null) return `<Password bSalt="true">${saltedPassword(salt, password)}</Password>`;
  if (activated === null) return null;
  return element('Password', md5(Buffer.from(password)).toString('base64'));
}

/** base64( AES-128-ECB( k, k + 48 zero bytes ) ), k = MD5( hex SHA-256( "admin" + salt + password ) ). */
export function saltedPassword(salt: string, password: string): string {
  const key = md5(Buffer.from(createHash('sha256').update(`admin${salt}${password}`).digest('hex')));
  return aes128(key, Buffer.concat([key, Buffer.alloc(48)])).toString('base64');
}

/** The random text of an `exchangecode` answer; null when it is none. */
export function openCode(code: string, privateKey: KeyObject): string | null {
  let block: Buffer;
  try {
    // Node's own PKCS#1 unpadding throws or invents an answer (CVE-2023-46809), so it is done here.
    block = privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, Buffer.from(code, 'base64'));
  } catch {
    return null;
  }
  const end = block.indexOf(0, 2);
  if (block[0] !== 0 || block[1] !== 2 || end < 10) return null;
  const random = block
    .subarray(end + 1)
    .toString('latin1')
    .replace(/\0+$/, '');
  return /^[\x21-\x7e]{16,}$/.test(random) ? random : null;
}

/** A new password under the random text: base64( AES-128-ECB( first 16 characters, those and the password, zero padded ) ). */
export function hideNewPassword(random: string, password: string): string {
  const first = random.slice(0, 16);
  const plain = Buffer.from(first + password);
  const padded = Buffer.concat([plain, Buffer.alloc((16 - (plain.length % 16)) % 16)]);
  return aes128(Buffer.from(first, 'latin1'), padded).toString('base64');
}

export const questionList = (answers: { id: number; answer: string }[]): string =>
  `<QuestionList>${answers
    .map(
      ({ id, answer }) =>
        `<Question>${element('ID', id)}${element('Answer', answer)}${element('mark', true)}</Question>`,
    )
    .join('')}</QuestionList>`;

/** The full state out of an answer to `inquiry`; null when it is none of that device. */
export function readState(bytes: Buffer, mac: string, source: string): SadpState | null {
  const device = readDatagram(bytes, source);
  if (typeof device === 'string' || device.mac !== mac) return null;
  const { node } = parseXml(bytes)!;
  const field = (name: string) => clean(text(node, name), 128);
  const yes = (name: string) => /^true$/i.test(field(name));
  const port = (name: string) => {
    const n = Number(field(name));
    return Number.isInteger(n) && n > 0 && n < 65_536 ? n : null;
  };
  const maskLength = Number(field('IPv6MaskLen'));
  return {
    ...device,
    salt: /^[0-9a-f]{16,128}$/i.test(field('Salt')) ? field('Salt') : null,
    commandPort: port('CommandPort') ?? 8000,
    tlsPort: port('SDKOverTLSPort'),
    ipv6: {
      address: field('IPv6Address') || '::',
      gateway: field('IPv6Gateway') || '::',
      maskLength: Number.isInteger(maskLength) && maskLength >= 0 && maskLength <= 128 ? maskLength : 64,
    },
    canAnswerQuestions: yes('SupportSecurityQuestion'),
    canMail: yes('SupportMailBox'),
    canReset: yes('PasswordResetAbility') || yes('ResetAbility') || field('PasswordResetModeSecond') !== '',
  };
}

/** The answer to that command of that device; null when it is anything else. */
export function readReply(bytes: Buffer, uuid: string, mac: string, type: string): SadpReply | null {
  if (bytes.length > MAX_DATAGRAM_BYTES) return null;
  const doc = parseXml(bytes);
  if (doc?.root !== 'ProbeMatch') return null;
  const field = (name: string) => clean(text(doc.node, name), 4096);
  // One firmware echoes the command with a blank behind it; some leave the Uuid out.
  if (field('Types').toLowerCase() !== type.toLowerCase() || macOf(field('MAC')) !== mac) return null;
  if (field('Uuid') !== '' && field('Uuid').toUpperCase() !== uuid.toUpperCase()) return null;
  const said = field('Result').toLowerCase();
  const code = field('Code') || field('EncryptString');
  // An answer that only carries what was asked for says no `Result`.
  const good = /^succ/.test(said) || (said === '' && (code !== '' || /question/i.test(type)));
  return { result: good ? 'success' : said === 'denied' ? 'denied' : 'failed', node: doc.node, code };
}

/** What a refusal says beside "no": names differ and are hardly documented, so every element is looked at. */
export function readReasons(node: XmlNode): { triesLeft: number | null; locked: boolean; weak: boolean } {
  const said = { triesLeft: null as number | null, locked: false, weak: false };
  const visit = (value: XmlNode | XmlNode[], name: string): void => {
    if (Array.isArray(value)) for (const v of value) visit(v, name);
    else if (typeof value === 'object') for (const [n, v] of Object.entries(value)) visit(v, n);
    else {
      if (/retry|remain|left|surplus/i.test(name) && /^\d{1,3}$/.test(value.trim())) said.triesLeft = Number(value);
      if ((/lock/i.test(name) && /^(true|lock(ed)?)$/i.test(value.trim())) || /device ?lock/i.test(value))
        said.locked = true;
      if (/risk/i.test(value)) said.weak = true;
    }
  };
  visit(node, '');
  return said;
}

const md5 = (data: Buffer) => createHash('md5').update(data).digest();

function aes128(key: Buffer, blocks: Buffer): Buffer {
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(blocks), cipher.final()]);
}
