import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';
import { has } from '../devices/addresses.ts';
import type { Device } from '../devices/device.ts';
import { badPassword } from '../devices/factory.ts';
import { textOf } from '../isapi/xml.ts';
import { commandAnswer, type Probe, probeMatch, readAnswers, readProbe, saltOf } from './sadp-messages.ts';
import { CodeExchange, passwordField } from './sadp-secrets.ts';

const GROUP = '239.255.255.250';
/** Numbers of the security questions that a device has. */
const QUESTIONS = [1, 2, 3, 4, 5, 6];

interface Place {
  device: Device;
  socket: Socket;
  exchange: CodeExchange;
  /** Answers by the number of their question. */
  answers: Map<number, string>;
  mailbox: string | null;
}

/**
 * Speaks SADP for all devices. The group socket is bound to the group's address, so that it never takes unicast answers meant
 * for who asked; each device answers from its own address, or by multicast only where this machine has no such address.
 */
export class SadpResponder {
  readonly #devices: Device[];
  readonly #wantedPort: number;
  /** An address of the interface that is answered on. */
  readonly #local: string;
  readonly #places = new Map<Device, Place>();
  #group: Socket | null = null;
  #port = 0;

  constructor(options: { devices: Device[]; port: number; local: string }) {
    this.#devices = options.devices.filter(({ profile }) => profile.odd.sadpReply !== null && profile.sadpType !== 0);
    this.#wantedPort = options.port;
    this.#local = options.local;
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    const group = await open(GROUP, this.#wantedPort);
    group.addMembership(GROUP, this.#local);
    this.#group = group;
    this.#port = group.address().port;
    group.on('message', (datagram, from) => {
      for (const place of this.#places.values()) void this.#hear(place, datagram, from);
    });
    for (const device of this.#devices) await this.appear(device);
  }

  stop(): void {
    this.#group?.close();
    for (const { socket } of this.#places.values()) socket.close();
    this.#places.clear();
  }

  /** Takes the address that the device has now. */
  async appear(device: Device): Promise<void> {
    if (!this.#devices.includes(device) || !this.#group) return;
    const before = this.#places.get(device);
    before?.socket.close();
    const here = device.up || device.profile.address.startsWith('127.');
    // Of two with one address the second has no port of its own; it still speaks from it.
    const { address } = device.profile;
    const socket = await open(here || has(address) ? address : this.#local, here ? this.#port : 0);
    socket.setMulticastInterface(this.#local);
    socket.setMulticastTTL(1);
    const place: Place = before
      ? { ...before, socket }
      : { device, socket, exchange: new CodeExchange(), answers: new Map(), mailbox: null };
    if (here) socket.on('message', (datagram, from) => void this.#hear(place, datagram, from));
    this.#places.set(device, place);
  }

  async #hear(place: Place, datagram: Buffer, from: RemoteInfo): Promise<void> {
    const { device } = place;
    if (!device.powered || (this.#local.startsWith('127.') && !from.address.startsWith('127.'))) return;
    const probe = readProbe(datagram);
    if (!probe) return;
    const { odd, mac } = device.profile;
    const mode = device.documents.at('/System/discoveryMode');
    if (mode && textOf(mode, 'SADP') === 'nonDiscoverable') return;
    const wanted = probe('MAC')?.toLowerCase() ?? '';
    const types = probe('Types') ?? '';
    let answer: string | null = null;
    if (types === 'inquiry' || types === 'inquiry_v32') {
      if (wanted === '' || wanted === mac) answer = probeMatch(device, probe('Uuid') ?? '', types);
    } else if (wanted === mac) answer = this.#command(place, types, probe, datagram);
    if (answer === null) return;
    if (device.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, device.delayMs));
    const socket = this.#places.get(device)?.socket;
    if (!socket) return;
    const local = socket.address().address === device.profile.address;
    if (odd.sadpReply === 'multicast' || !local) socket.send(answer, this.#port, GROUP);
    else for (let i = 0; i < 2; i++) socket.send(answer, from.port, from.address);
  }

  #command(place: Place, types: string, probe: Probe, datagram: Buffer): string | null {
    const { device, exchange } = place;
    const say = (result: string, more = '') => commandAnswer(device, probe, result, more);
    switch (types) {
      case 'exchangecode': {
        const sealed = exchange.seal(probe('Code') ?? '');
        return sealed ? say('success', `<Code>${sealed}</Code>\n`) : say('failed');
      }
      case 'activate': {
        if (device.factory.activated) return say('failed', '<Code>Has activated</Code>\n');
        const password = exchange.open(probe('Password') ?? '');
        if (password === null) return say('failed', '<Code>Password error</Code>\n');
        const bad = badPassword(password);
        if (bad) return say('failed', '<Code>Risk password</Code>\n');
        device.factory.set(password);
        return say('success');
      }
      case 'update':
        return this.#update(place, probe, say);
      case 'restoreInactive': {
        const refused = this.#login(place, probe);
        if (refused) return say(...refused);
        device.factory.reset();
        return say('success');
      }
      case 'setsecurityquestion': {
        const refused = this.#login(place, probe);
        if (refused) return say(...refused);
        const answers = readAnswers(datagram);
        // Once: who has the password later is not to change how it is replaced.
        if (place.answers.size > 0 || answers.size !== 3) return say('failed');
        place.answers = answers;
        return say('success');
      }
      case 'getsecurityquestion': {
        const items = QUESTIONS.map((id) => `<Question><ID>${id}</ID><mark>${place.answers.has(id)}</mark></Question>`);
        return say('success', `<QuestionList>\n${items.join('\n')}\n</QuestionList>\n`);
      }
      case 'AnswerReset': {
        const given = readAnswers(datagram);
        const right = [...place.answers].every(([id, answer]) => answer === given.get(id));
        const password = exchange.open(probe('Password') ?? '');
        if (place.answers.size === 0 || !right || password === null || badPassword(password)) return say('failed');
        device.factory.set(password);
        return say('success');
      }
      case 'SetMailBox': {
        const refused = this.#login(place, probe);
        if (refused) return say(...refused);
        if (place.mailbox !== null) return say('failed');
        place.mailbox = probe('MailBox');
        return say('success');
      }
      default:
        return null;
    }
  }

  /** Null: the password is right. A command without one is refused (CVE-2023-28810). */
  #login({ device }: Place, probe: Probe): [result: string, more: string] | null {
    const { odd } = device.profile;
    if (!device.factory.activated) return ['denied', '<Code>No activated</Code>\n'];
    if (device.logins.locked) return ['denied', '<Code>Device lock</Code>\n'];
    const given = probe('Password');
    const right = passwordField(device.factory.password, odd.sadpPassword, saltOf(device));
    if (given && given === right) {
      device.logins.succeed();
      return null;
    }
    if (given) device.logins.fail();
    return ['denied', `<Code>Password error</Code>\n<RetryTimes>${device.logins.triesLeft}</RetryTimes>\n`];
  }

  #update(place: Place, probe: Probe, say: (result: string, more?: string) => string): string {
    const refused = this.#login(place, probe);
    if (refused) return say(...refused);
    const address = probe('IPv4Address') ?? '';
    const mask = probe('IPv4SubnetMask') ?? '';
    const gateway = probe('IPv4Gateway') ?? '';
    // All fields every time: it is no patch.
    if (![address, mask, gateway].every(isIPv4) || probe('DHCP') === null) return say('failed');
    place.device.moveTo({ address, mask, gateway, dhcp: /^true$/i.test(probe('DHCP')!) });
    return say('success');
  }
}

export async function open(address: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.bind({ address, port });
  await once(socket, 'listening');
  return socket;
}
