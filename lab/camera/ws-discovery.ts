import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { CameraProfile } from './profile.ts';

const GROUP = '239.255.255.250';
const LOOPBACK = '127.0.0.1';
type Answering = { profile: CameraProfile; httpPort: number };

/**
 * Answers WS-Discovery for the cameras whose ONVIF is on, on loopback only: unicast, from a port of their own, with Hello
 * at the start and Bye at the end. Elements hold blanks and line ends, as some firmware writes them.
 */
export class WsdResponder {
  readonly #cameras: Answering[];
  readonly #wantedPort: number;
  readonly #parser = new XMLParser({ ignoreAttributes: true, parseTagValue: false, removeNSPrefix: true });
  readonly #own = new Map<Answering, Socket>();
  #group: Socket | null = null;
  #port = 0;

  constructor(options: { cameras: Answering[]; port: number }) {
    this.#cameras = options.cameras.filter(({ profile }) => profile.odd.onvif);
    this.#wantedPort = options.port;
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    this.#group = await open(GROUP, this.#wantedPort);
    this.#group.addMembership(GROUP, LOOPBACK);
    this.#port = this.#group.address().port;
    this.#group.on('message', (datagram, from) => this.#answer(datagram, from));
    for (const camera of this.#cameras) {
      const socket = await open(camera.profile.address, 0);
      socket.setMulticastInterface(LOOPBACK);
      this.#own.set(camera, socket);
      socket.send(message('Hello', `<d:Hello>${endpoint(camera)}</d:Hello>`), this.#port, GROUP);
    }
  }

  async stop(): Promise<void> {
    for (const [camera, socket] of this.#own) {
      const bye = message('Bye', `<d:Bye>${reference(camera.profile)}</d:Bye>`);
      await new Promise((resolve) => socket.send(bye, this.#port, GROUP, resolve));
      socket.close();
    }
    this.#own.clear();
    this.#group?.close();
  }

  #answer(datagram: Buffer, from: RemoteInfo): void {
    const text = datagram.toString('utf8');
    if (!from.address.startsWith('127.') || XMLValidator.validate(text) !== true) return;
    const envelope = this.#parser.parse(text)?.Envelope;
    const types = envelope?.Body?.Probe?.Types;
    if (types === undefined) return;
    // This firmware knows one type, and its own prefix of it.
    if (types !== '' && !String(types).endsWith('NetworkVideoTransmitter')) return;
    const id = /[0-9a-f-]{36}/i.exec(String(envelope?.Header?.MessageID))?.[0] ?? '';
    for (const [camera, socket] of this.#own) {
      const matches = `<d:ProbeMatches><d:ProbeMatch>${endpoint(camera)}</d:ProbeMatch></d:ProbeMatches>`;
      // The prefix is not the one that asked.
      socket.send(message('ProbeMatches', matches, `uuid:${id}`), from.port, from.address);
    }
  }
}

async function open(address: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.bind({ address, port });
  await once(socket, 'listening');
  return socket;
}

const reference = ({ mac }: CameraProfile) =>
  `<a:EndpointReference>\n<a:Address>urn:uuid:9e1c7a40-0f6e-11b3-81d0-${mac.replaceAll('-', '')}\n</a:Address></a:EndpointReference>`;

const endpoint = ({ profile, httpPort }: Answering) => `${reference(profile)}
<d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types>
<d:Scopes> onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/Profile/Streaming
 onvif://www.onvif.org/hardware/${profile.model} onvif://www.onvif.org/name/HIKVISION%20${profile.model} </d:Scopes>
<d:XAddrs>
http://${profile.address}:${httpPort}/onvif/device_service http://[fe80::4c41:42ff:fe00:1]/onvif/device_service</d:XAddrs>
<d:MetadataVersion>10</d:MetadataVersion>`;

const message = (action: string, body: string, relatesTo = '') =>
  `<?xml version="1.0" encoding="UTF-8"?>
<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><env:Header><a:MessageID>urn:uuid:${crypto.randomUUID()}</a:MessageID>${relatesTo && `<a:RelatesTo>${relatesTo}</a:RelatesTo>`}<a:Action env:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/${action}</a:Action></env:Header><env:Body>${body}</env:Body></env:Envelope>
`;
