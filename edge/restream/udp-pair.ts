import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';

const TRIES = 20;
const FIRST_PORT = 20_000;
const PORTS = 20_000;
const SEND_BUFFER = 1024 * 1024;

/** Two neighbouring UDP ports, the first one even (RFC 3550 §11): pictures or sound, and the reports about them. */
export class UdpPair {
  readonly port: number;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #to: { address: string; rtp: number; rtcp: number };

  constructor(port: number, rtp: Socket, rtcp: Socket, to: { address: string; rtp: number; rtcp: number }) {
    this.port = port;
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#to = to;
  }

  /** null: no two ports are free. `onReport`: the viewer is still there. */
  static async open(o: {
    local: string;
    to: { address: string; rtp: number; rtcp: number };
    onReport: () => void;
  }): Promise<UdpPair | null> {
    const type = isIPv6(o.local) ? 'udp6' : 'udp4';
    for (let i = 0; i < TRIES; i++) {
      const port = FIRST_PORT + 2 * Math.floor((Math.random() * PORTS) / 2);
      const sockets = [createSocket(type), createSocket(type)] as const;
      try {
        for (const [n, socket] of sockets.entries()) {
          socket.bind(port + n, o.local);
          await once(socket, 'listening');
          // An unreachable viewer is noticed by its silence.
          socket.on('error', () => {});
        }
        sockets[0].setSendBufferSize(SEND_BUFFER);
        sockets[1].on('message', (_, from) => from.address === o.to.address && o.onReport());
        return new UdpPair(port, ...sockets, o.to);
      } catch {
        for (const socket of sockets) socket.close();
      }
    }
    return null;
  }

  send(packet: Buffer): void {
    this.#rtp.send(packet, this.#to.rtp, this.#to.address);
  }
  report(packet: Buffer): void {
    this.#rtcp.send(packet, this.#to.rtcp, this.#to.address);
  }
  close(): void {
    this.#rtp.close();
    this.#rtcp.close();
  }
}
