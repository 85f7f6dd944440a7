import { createHash } from 'node:crypto';
import { find, parseXml, textOf, type XmlNode } from '../isapi/xml.ts';

/** How a camera's ONVIF differs from what the standard says; tests switch these. */
export interface OnvifOdd {
  clockAheadMs: number;
  /** How far a login's Created may be from the device's clock. */
  toleranceMs: number;
  wsse: boolean;
  digest: boolean;
  /** Faults at a Security header that must be understood, as a server built without it. */
  mustUnderstandFault: boolean;
  initialTerminationRequired: boolean;
  referenceParameters: boolean;
  renew400: boolean;
  /** The host in every XAddr and URI; null: its own. */
  xaddrHost: string | null;
  faultsWith200: boolean;
  /** Sends `true` and never `false`. */
  pulsesOnly: boolean;
  /** Has recordings that can be searched and replayed. */
  profileG: boolean;
  /** Forgets its first search in the middle of it. */
  losesSearch: boolean;
}

export const plainOnvif: OnvifOdd = {
  clockAheadMs: 0,
  toleranceMs: 300_000,
  wsse: true,
  digest: true,
  mustUnderstandFault: false,
  initialTerminationRequired: false,
  referenceParameters: false,
  renew400: false,
  xaddrHost: null,
  faultsWith200: false,
  pulsesOnly: false,
  profileG: false,
  losesSearch: false,
};

/** As cheap cameras and clones have it, all at once. */
export const oddOnvif: OnvifOdd = {
  ...plainOnvif,
  clockAheadMs: 3 * 3_600_000,
  toleranceMs: 5_000,
  digest: false,
  initialTerminationRequired: true,
  referenceParameters: true,
  renew400: true,
  xaddrHost: '192.0.2.10',
  faultsWith200: true,
  pulsesOnly: true,
};

/** A refusal that the device says as a SOAP fault. */
export class Fault extends Error {
  readonly status: number;
  readonly sub: string;
  constructor(sub: string, reason: string, status = 400) {
    super(reason);
    this.sub = sub;
    this.status = status;
  }
}

export interface Envelope {
  /** The operation and what is in it. */
  operation: XmlNode;
  header: XmlNode | null;
}

export function readEnvelope(body: string): Envelope | null {
  const root = parseXml(body);
  const operation = root?.name === 'Envelope' ? find(root, 'Body')?.children[0] : undefined;
  return root && operation ? { operation, header: find(root, 'Header') } : null;
}

const NAMESPACES = `xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tr2="http://www.onvif.org/ver20/media/wsdl" xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:tptz="http://www.onvif.org/ver20/ptz/wsdl" xmlns:timg="http://www.onvif.org/ver20/imaging/wsdl" xmlns:tmd="http://www.onvif.org/ver10/deviceIO/wsdl" xmlns:trc="http://www.onvif.org/ver10/recording/wsdl" xmlns:tse="http://www.onvif.org/ver10/search/wsdl" xmlns:trp="http://www.onvif.org/ver10/replay/wsdl" xmlns:wsa="http://www.w3.org/2005/08/addressing" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:wstop="http://docs.oasis-open.org/wsn/t-1" xmlns:tns1="http://www.onvif.org/ver10/topics" xmlns:ter="http://www.onvif.org/ver10/error"`;

export const envelope = (body: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope ${NAMESPACES}><env:Body>${body}</env:Body></env:Envelope>\n`;

export function faultBody(fault: Fault): string {
  const who = fault.status >= 500 ? 'env:Receiver' : 'env:Sender';
  return envelope(
    `<env:Fault><env:Code><env:Value>${who}</env:Value><env:Subcode><env:Value>ter:${fault.sub}</env:Value></env:Subcode></env:Code><env:Reason><env:Text xml:lang="en">${fault.message}</env:Text></env:Reason></env:Fault>`,
  );
}

/** `ok`: right; `none`: there is no Security header; otherwise wrong, or too far from the device's clock. */
export function checkWsse(
  header: XmlNode | null,
  o: { password: (user: string) => string | null; nowMs: number; toleranceMs: number },
): 'ok' | 'none' | 'wrong' | 'clock' {
  const token = header && find(header, 'Security/UsernameToken');
  if (!token) return 'none';
  const created = textOf(token, 'Created') ?? '';
  const password = o.password(textOf(token, 'Username') ?? '');
  if (password === null) return 'wrong';
  const nonce = Buffer.from(textOf(token, 'Nonce') ?? '', 'base64');
  const given = textOf(token, 'Password') ?? '';
  const plain = /PasswordText$/.test(find(token, 'Password')?.attributes.Type ?? '');
  const right = createHash('sha1').update(nonce).update(created).update(password).digest('base64');
  if (plain ? given !== password : given !== right) return 'wrong';
  // Nine digits of a second and offsets are too much for it.
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(created) ? Date.parse(created) : Number.NaN;
  return Math.abs(at - o.nowMs) <= o.toleranceMs ? 'ok' : 'clock';
}

export const duration = (text: string): number | null => {
  const found = /^PT?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?$/.exec(text.trim());
  if (!found) return null;
  const [, h, m, s] = found;
  return (Number(h ?? 0) * 3600 + Number(m ?? 0) * 60 + Number(s ?? 0)) * 1000;
};
