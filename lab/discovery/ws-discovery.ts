import type { RemoteInfo, Socket } from 'node:dgram';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { DeviceProfile } from '../devices/profile.ts';
import { open } from './sadp.ts';

const GROUP = '239.255.255.250';

/** Whoever answers WS-Discovery. */
export interface Discoverable {
  profile: DeviceProfile;
  /** `http://address:port` */
  origin: string;
  up: boolean;
  onvif: boolean;
  /** What it says where its services are; odd cameras say hosts that nobody reaches. */
  xaddrs?: string;
}

/**
 * Answers WS-Discovery for the devices whose ONVIF is on: unicast, from a port of their own, with Hello when they come and
 * Bye when they go. Elements hold blanks and line ends, as some firmware writes them.
 */
export class WsdResponder {
  readonly #devices: Discoverable[];
  readonly #wantedPort: number;
  readonly #local: string;
  readonly #parser = new XMLParser({ ignoreAttributes: true, parseTagValue: false, removeNSPrefix: true });
  readonly #own = new Map<Discoverable, Socket>();
  #group: Socket | null = null;
  #port = 0;

  constructor(options: { devices: Discoverable[]; port: number; local: string }) {
    this.#devices = options.devices;
    this.#wantedPort = options.port;
    this.#local = options.local;
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    this.#group = await open(GROUP, this.#wantedPort);
    this.#group.addMembership(GROUP, this.#local);
    this.#port = this.#group.address().port;
    this.#group.on('message', (datagram, from) => this.#answer(datagram, from));
    for (const device of this.#devices) if (device.onvif) await this.appear(device);
  }

  async stop(): Promise<void> {
    for (const [device, socket] of this.#own) {
      const bye = message('Bye', `<d:Bye>${reference(device.profile)}</d:Bye>`);
      await new Promise((resolve) => socket.send(bye, this.#port, GROUP, resolve));
      socket.close();
    }
    this.#own.clear();
    this.#group?.close();
  }

  /** Says hello from the address that the device has now. */
  async appear(device: Discoverable): Promise<void> {
    if (!this.#devices.includes(device) || !this.#group) return;
    this.#own.get(device)?.close();
    this.#own.delete(device);
    if (!device.up || !device.onvif) return;
    const socket = await open(device.profile.address, 0);
    socket.setMulticastInterface(this.#local);
    this.#own.set(device, socket);
    socket.send(message('Hello', `<d:Hello>${endpoint(device)}</d:Hello>`), this.#port, GROUP);
  }

  #answer(datagram: Buffer, from: RemoteInfo): void {
    const text = datagram.toString('utf8');
    if (this.#local.startsWith('127.') && !from.address.startsWith('127.')) return;
    if (XMLValidator.validate(text) !== true) return;
    const envelope = this.#parser.parse(text)?.Envelope;
    const types = envelope?.Body?.Probe?.Types;
    if (types === undefined) return;
    // This firmware knows one type, and its own prefix of it.
    if (types !== '' && !String(types).endsWith('NetworkVideoTransmitter')) return;
    const id = /[0-9a-f-]{36}/i.exec(String(envelope?.Header?.MessageID))?.[0] ?? '';
    for (const device of this.#devices) {
      if (!device.onvif || !device.up) continue;
      const matches = `<d:ProbeMatches><d:ProbeMatch>${endpoint(device)}</d:ProbeMatch></d:ProbeMatches>`;
      const socket = this.#own.get(device);
      // The prefix is not the one that asked.
      const answer = message('ProbeMatches', matches, `uuid:${id}`);
      if (socket) socket.send(answer, from.port, from.address);
      else void this.appear(device).then(() => this.#own.get(device)?.send(answer, from.port, from.address));
    }
  }
}

const reference = ({ mac }: DeviceProfile) =>
  `<a:EndpointReference>\n<a:Address>urn:uuid:9e1c7a40-0f6e-11b3-81d0-${mac.replaceAll('-', '')}\n</a:Address></a:EndpointReference>`;

const endpoint = ({ profile, origin, xaddrs }: Discoverable) => {
  const maker = profile.kind.startsWith('onvif') ? 'IPCAM' : 'HIKVISION';
  const address = `${origin}/onvif/device_service`;
  return `${reference(profile)}
<d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types>
<d:Scopes> onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/Profile/Streaming
 onvif://www.onvif.org/hardware/${profile.model} onvif://www.onvif.org/name/${maker}%20${profile.model} </d:Scopes>
<d:XAddrs>
${xaddrs ?? `${address} http://[fe80::4c41:42ff:fe00:1]/onvif/device_service`}</d:XAddrs>
<d:MetadataVersion>10</d:MetadataVersion>`;
};

const message = (action: string, body: string, relatesTo = '') =>
  `<?xml version="1.0" encoding="UTF-8"?>
<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><env:Header><a:MessageID>urn:uuid:${crypto.randomUUID()}</a:MessageID>${relatesTo && `<a:RelatesTo>${relatesTo}</a:RelatesTo>`}<a:Action env:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/${action}</a:Action></env:Header><env:Body>${body}</env:Body></env:Envelope>
`;
