import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { probeMatch } from './documents.ts';
import type { Factory } from './factory.ts';
import type { CameraProfile } from './profile.ts';

const GROUP = '239.255.255.250';
const LOOPBACK = '127.0.0.1';
type Answering = { profile: CameraProfile; httpPort: number; factory: Pick<Factory, 'activated'> };

/**
 * Answers SADP inquiries for all cameras, on loopback only. The group socket is bound to the group's address, so that it never
 * takes unicast answers meant for who asked; each camera answers from its own address.
 */
export class SadpResponder {
  readonly #cameras: Answering[];
  readonly #wantedPort: number;
  readonly #sockets: Socket[] = [];
  readonly #parser = new XMLParser({ ignoreAttributes: true, parseTagValue: false, removeNSPrefix: true });
  #port = 0;

  constructor(options: { cameras: Answering[]; port: number }) {
    this.#cameras = options.cameras;
    this.#wantedPort = options.port;
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    const group = await this.#open(GROUP, this.#wantedPort);
    group.addMembership(GROUP, LOOPBACK);
    this.#port = group.address().port;
    const own = await Promise.all(this.#cameras.map(({ profile }) => this.#open(profile.address, this.#port)));
    own.forEach((socket, i) => {
      socket.setMulticastInterface(LOOPBACK);
      socket.setMulticastTTL(1);
      const camera = this.#cameras[i]!;
      const hear = (datagram: Buffer, from: RemoteInfo) => this.#answer(camera, socket, datagram, from);
      group.on('message', hear);
      socket.on('message', hear);
    });
  }

  stop(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
  }

  async #open(address: string, port: number): Promise<Socket> {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    this.#sockets.push(socket);
    socket.bind({ address, port });
    await once(socket, 'listening');
    return socket;
  }

  #answer(camera: Answering, socket: Socket, datagram: Buffer, from: RemoteInfo) {
    if (!from.address.startsWith('127.')) return;
    const probe = this.#probe(datagram);
    if (!probe || (probe.mac && probe.mac !== camera.profile.mac)) return;
    const reply = probeMatch(camera.profile, camera.httpPort, probe.uuid, probe.types, camera.factory.activated);
    if (camera.profile.odd.sadpReply === 'multicast') socket.send(reply, this.#port, GROUP);
    else for (let i = 0; i < 2; i++) socket.send(reply, from.port, from.address);
  }

  #probe(datagram: Buffer): { uuid: string; types: string; mac: string } | null {
    const text = datagram.toString('utf8');
    if (XMLValidator.validate(text) !== true) return null;
    const probe: unknown = this.#parser.parse(text)?.Probe;
    if (typeof probe !== 'object' || probe === null) return null;
    const field = (name: string) => {
      const value = (probe as Record<string, unknown>)[name];
      return typeof value === 'string' ? value.trim() : '';
    };
    const types = field('Types');
    if (types !== 'inquiry' && types !== 'inquiry_v32') return null;
    return { uuid: field('Uuid'), types, mac: field('MAC').toLowerCase() };
  }
}
