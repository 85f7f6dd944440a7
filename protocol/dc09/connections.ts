import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { networkOf } from './refusals.ts';

interface Connection {
  network: string;
  /** Monotonic. */
  heardAt: number;
  proven: boolean;
  /** In a row. */
  refused: number;
}

/**
 * The open connections, those that were silent longest first: nothing here depends on how many there are. Proven is one
 * from which something was taken; the others make room before it does.
 */
export class Connections {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #of = new WeakMap<Socket, Connection>();
  readonly #order = { proven: new Set<Socket>(), unproven: new Set<Socket>() };
  /** Unproven connections of each network. */
  readonly #unproven = new Map<string, number>();

  constructor({ clock, max }: { clock: Clock; max: number }) {
    this.#clock = clock;
    this.#max = max;
  }

  add(socket: Socket, address: string): void {
    const { proven, unproven } = this.#order;
    if (proven.size + unproven.size >= this.#max) {
      const oldest = [unproven, proven].map((set) => set.values().next().value).find(Boolean);
      if (oldest) this.#close(oldest);
    }
    const network = networkOf(address);
    this.#of.set(socket, { network, heardAt: this.#clock.mono(), proven: false, refused: 0 });
    unproven.add(socket);
    this.#unproven.set(network, (this.#unproven.get(network) ?? 0) + 1);
    socket.on('close', () => this.#forget(socket));
  }

  heard(socket: Socket): void {
    const one = this.#of.get(socket);
    const set = this.#order[one?.proven ? 'proven' : 'unproven'];
    // One that was closed is not there any more.
    if (!one || !set.delete(socket)) return;
    set.add(socket);
    one.heardAt = this.#clock.mono();
  }

  taken(socket: Socket): void {
    const one = this.#of.get(socket);
    if (!one) return;
    one.refused = 0;
    if (one.proven || !this.#order.unproven.delete(socket)) return;
    one.proven = true;
    this.#order.proven.add(socket);
    this.#fewer(one.network);
  }

  /** How often in a row now. */
  refused(socket: Socket): number {
    const one = this.#of.get(socket);
    return one ? ++one.refused : 0;
  }

  proven(socket: Socket): boolean {
    return this.#of.get(socket)?.proven ?? false;
  }

  /** Connections of the address's network from which nothing was taken. */
  unproven(address: string): number {
    return this.#unproven.get(networkOf(address)) ?? 0;
  }

  closeIdle(idleMs: number): void {
    for (const set of Object.values(this.#order)) {
      for (const socket of set) {
        if (this.#clock.mono() - this.#of.get(socket)!.heardAt <= idleMs) break;
        this.#close(socket);
      }
    }
  }

  closeAll(): void {
    for (const set of Object.values(this.#order)) for (const socket of set) this.#close(socket);
  }

  #close(socket: Socket): void {
    // At once: its `close` comes later, and its place is free.
    this.#forget(socket);
    socket.destroy();
  }

  #forget(socket: Socket): void {
    const one = this.#of.get(socket);
    this.#order.proven.delete(socket);
    if (this.#order.unproven.delete(socket) && one) this.#fewer(one.network);
  }

  #fewer(network: string): void {
    const left = (this.#unproven.get(network) ?? 1) - 1;
    if (left > 0) this.#unproven.set(network, left);
    else this.#unproven.delete(network);
  }
}
