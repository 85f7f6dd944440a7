import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Db } from '../db/database.ts';

const CHECK_MS = 30_000;
/** A message that waits longer than this is told to people. */
export const STUCK_MS = 120_000;

/** One output that does not get through, or does again. */
export interface OutputNews {
  owner: string;
  outputId: string;
  name: string;
  stuck: boolean;
  waiting: number;
}

/**
 * Tells a centre's people when alarms wait at an output, once, and when they do not wait any more. What a restart of the relay
 * forgets is told again.
 */
export class OutputWatch {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #tell: (news: OutputNews) => Promise<void>;
  readonly #stuck = new Map<string, { owner: string; name: string }>();
  #cancel: () => void = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor(deps: { db: Db; clock: Clock; log: Logger; tell: (news: OutputNews) => Promise<void> }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#tell = deps.tell;
  }

  start(): void {
    this.#cancel = this.#clock.every(CHECK_MS, () => {
      this.#running = this.#running.then(() => this.check());
    });
  }

  async stop(): Promise<void> {
    this.#cancel();
    await this.#running;
  }

  async check(): Promise<void> {
    try {
      const rows = await this.#db
        .selectFrom('receiver_deliveries as d')
        .innerJoin('receiver_messages as m', 'm.rowId', 'd.messageRowId')
        .innerJoin('receiver_outputs as o', 'o.id', 'd.outputId')
        .select((e) => [
          'o.id',
          'o.owner',
          'o.name',
          e.fn.min('m.receivedMs').as('oldestMs'),
          e.fn.countAll<number>().as('n'),
        ])
        .where('d.state', '=', 'waiting')
        .where('o.enabled', '=', 1)
        .groupBy(['o.id', 'o.owner', 'o.name'])
        .execute();
      const late = rows.filter((row) => this.#clock.now() - Number(row.oldestMs) > STUCK_MS);
      for (const { id, owner, name, n } of late) {
        if (this.#stuck.has(id)) continue;
        await this.#tell({ owner, outputId: id, name, stuck: true, waiting: Number(n) });
        this.#stuck.set(id, { owner, name });
      }
      for (const [id, { owner, name }] of this.#stuck) {
        if (late.some((row) => row.id === id)) continue;
        await this.#tell({ owner, outputId: id, name, stuck: false, waiting: 0 });
        this.#stuck.delete(id);
      }
    } catch (error) {
      this.#log.error({ err: error }, 'whether outputs get through could not be told; tried again');
    }
  }
}
