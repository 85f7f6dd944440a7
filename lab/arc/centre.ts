import { join } from 'node:path';
import { AppendLog } from '../append-log.ts';
import type { SwallowedAnswer } from '../faults/fault-proxy.ts';
import { type ArcLabAccount, type KeptAlarm, Receiver } from './receiver.ts';

export type ListedAlarm = KeptAlarm & {
  /** A fault threw the acknowledgement away: the sender does not know, and may rightly send it again. */
  ackSwallowed: boolean;
};

/** The alarm receiving centre: one list of alarms, two addresses, so that each path to it can fail alone. */
export class ArcCentre {
  readonly receivers: Record<KeptAlarm['via'], Receiver>;
  readonly alarms: ListedAlarm[] = [];
  readonly #log: AppendLog<KeptAlarm | { ackSwallowed: string }>;

  constructor(options: { base: string; port: number; data: string; accounts: ArcLabAccount[] }) {
    this.#log = new AppendLog(join(options.data, 'alarms.jsonl'));
    const keep = (alarm: KeptAlarm) => {
      this.#log.append(alarm);
      this.alarms.push({ ...alarm, ackSwallowed: false });
    };
    const { accounts, base, port } = options;
    this.receivers = {
      direct: new Receiver({ host: `${base}31`, port, via: 'direct', accounts, keep }),
      relay: new Receiver({ host: `${base}32`, port, via: 'relay', accounts, keep }),
    };
  }

  async start(): Promise<void> {
    for (const line of this.#log.open()) {
      if ('account' in line) this.alarms.push({ ...line, ackSwallowed: false });
      else for (const alarm of this.alarms) if (alarm.id === line.ackSwallowed) alarm.ackSwallowed = true;
    }
    await this.receivers.direct.start();
    await this.receivers.relay.start();
  }

  async stop(): Promise<void> {
    await this.receivers.direct.stop();
    await this.receivers.relay.stop();
    this.#log.close();
  }

  swallowed(via: KeptAlarm['via'], answer: SwallowedAnswer): void {
    const alarm = this.alarms.findLast(
      (a) => a.via === via && a.account === answer.account && a.sequence === answer.sequence,
    );
    if (!alarm) return;
    alarm.ackSwallowed = true;
    this.#log.append({ ackSwallowed: alarm.id });
  }
}
