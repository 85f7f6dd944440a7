import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

/*
 * A port whose SYNs nobody answers, without rights and firewall rules: a listener with the shortest queue whose thread
 * sleeps for ever. Two connections fill the queue; the kernel drops every further SYN.
 */
const LISTENER = `
  const { parentPort, workerData } = require('node:worker_threads');
  require('node:net').createServer().listen({ ...workerData, backlog: 1 }, () => {
    parentPort.postMessage('listening');
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;
/** A connection that the kernel takes is there at once on this machine. */
const TAKEN_MS = 100;
const MOST = 16;

export class Hole {
  readonly #worker: Worker;
  readonly #fillers: Socket[] = [];

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  static async open(where: { host: string; port: number }): Promise<Hole> {
    const worker = new Worker(LISTENER, { eval: true, workerData: where });
    await once(worker, 'message');
    const hole = new Hole(worker);
    for (let i = 0; i < MOST; i++) if (!(await hole.#fill(where))) return hole;
    await hole.close();
    throw new Error('this kernel goes on accepting: the port cannot be made silent');
  }

  async close(): Promise<void> {
    for (const socket of this.#fillers) socket.destroy();
    await this.#worker.terminate();
  }

  /** True when one more connection was taken. */
  async #fill(where: { host: string; port: number }): Promise<boolean> {
    const socket = connect(where);
    socket.on('error', () => {});
    this.#fillers.push(socket);
    const taken = once(socket, 'connect').then(
      () => true,
      () => false,
    );
    return Promise.race([taken, sleep(TAKEN_MS).then(() => false)]);
  }
}
