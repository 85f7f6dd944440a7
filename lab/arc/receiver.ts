import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { sia as Sia, type SiaMessage } from 'iobroker.sia/build/lib/sia.js';

export interface ArcLabAccount {
  account: string;
  /** Hex, 16, 24 or 32 bytes; null: not encrypted. */
  key: string | null;
}

/** An alarm that the receiving centre has acknowledged and therefore keeps. */
export interface KeptAlarm {
  id: string;
  account: string;
  protocol: 'SIA-DCS' | 'ADM-CID';
  encrypted: boolean;
  /** `BA`, `1130`, … */
  code: string;
  zone: string;
  /** Time of occurrence where the message gives one ([H…]), else of transmission, else of receipt. */
  occurredAt: string;
  acknowledgedAt: string;
  /** The frame as it came, without LF and CR. */
  raw: string;
  /** What stood between the brackets, decrypted. */
  text: string;
  sequence: number;
  via: 'direct' | 'relay';
}

export interface ReceiverOptions {
  host: string;
  port: number;
  via: KeptAlarm['via'];
  accounts: ArcLabAccount[];
  keep: (alarm: KeptAlarm) => void;
}

/**
 * An alarm receiving centre: the receiver of iobroker.sia as it is, on one address. `keep` must have put the alarm on disk
 * when it returns; the acknowledgement is written after it, in the same turn of the event loop.
 */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #sockets = new Set<Socket>();
  #sia: Sia | null = null;
  /** Messages answered with NAK: bad checksum, unknown account, wrong key, time stamp out of its window. */
  refused = 0;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  get port(): number {
    return (this.#sia!.servertcp.address() as AddressInfo).port;
  }

  async start(): Promise<void> {
    const { host, port, via, accounts, keep } = this.#options;
    const sia = new Sia({ host, port, timeout: 40, logger: () => {} });
    this.#sia = sia;
    sia.setAccounts(
      accounts.map(({ account, key }) => ({
        accountnumber: account,
        aes: key !== null,
        hex: true,
        password: key ?? '',
      })),
    );
    const createAck = sia.createACK.bind(sia);
    sia.createACK = (message) => {
      const ack = createAck(message);
      keep(toAlarm(message, via, Date.now()));
      return ack;
    };
    sia.on('sia', (message: SiaMessage | undefined) => {
      if (!message) this.refused++;
    });
    sia.on('error', () => {});
    sia.servertcp.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    sia.serverStartTCP();
    await once(sia.servertcp, 'listening');
  }

  async stop(): Promise<void> {
    const server = this.#sia?.servertcp;
    if (!server?.listening) return;
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(server, 'close');
  }
}

/** Reads what an operator needs out of a message: DC-09 §5.4, SIA DC-03 and Contact ID data blocks. */
export function toAlarm(message: SiaMessage, via: KeptAlarm['via'], nowMs: number): KeptAlarm {
  const protocol = message.id.endsWith('ADM-CID') ? 'ADM-CID' : 'SIA-DCS';
  const block = message.data_message.replace(/^#[^|]*\|/, '').split('|')[0]!;
  const found =
    protocol === 'ADM-CID' ? /^(\d{4}) \d{2} (\d{3})/.exec(block) : /(?:^[NOQ]|\/)([A-Z]{2})(\w*)/.exec(block);
  const time = message.data_extended.startsWith('H') ? message.data_extended.slice(1) : message.ts;
  return {
    id: randomUUID(),
    account: message.act,
    protocol,
    encrypted: message.id.startsWith('*'),
    code: found?.[1] ?? '',
    zone: found?.[2] ?? '',
    occurredAt: new Date(parseTime(time) ?? nowMs).toISOString(),
    acknowledgedAt: new Date(nowMs).toISOString(),
    raw: message.data.toString('latin1').trim(),
    text: message.data_message,
    sequence: Number(message.seq),
    via,
  };
}

/** `HH:MM:SS,MM-DD-YYYY`, UTC → Unix ms; null when it is none. */
function parseTime(text: string): number | null {
  const m = /^(\d\d):(\d\d):(\d\d),(\d\d)-(\d\d)-(\d{4})$/.exec(text);
  if (!m) return null;
  const [hour, minute, second, month, day, year] = m.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
