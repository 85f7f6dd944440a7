import { createCipheriv, createDecipheriv } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/*
 * An alarm receiver for tests that takes DC-09 to the letter and nothing else. Written from the standard without a line of
 * the product's codec, so that both cannot be wrong together.
 */

export interface Received {
  token: string;
  sequence: string;
  account: string;
  /** `#1234|Nri1/BA003` */
  data: string;
  extended: string[];
  timestamp: string;
  /** The reply that went out: ACK, NAK, DUH or `-`. */
  reply: string;
  transport: 'tcp' | 'udp';
  /** The sender's address. */
  from?: string;
  /** Unix milliseconds with fractions. */
  at: number;
}

interface Options {
  /** Account number → AES key, null for plain. */
  accounts: Record<string, Buffer | null>;
  takesNull?: boolean;
  refuseTokens?: string[];
  /** Messages that it refuses for their content. */
  poison?: RegExp;
  /** Messages that it does not understand. */
  duh?: RegExp;
  /** Takes everything and says nothing. */
  mute?: boolean;
  /** The receiver's clock minus the real one. */
  clockMs?: number;
  /** Closes the connection after each reply. */
  closes?: boolean;
  /** Answers with this key though it could not read the message (seen in the field). */
  falseKey?: Buffer;
}

const polynomial = 0b1000_0000_0000_0101;
function checksum(bytes: Buffer): string {
  const reverse = (value: number, width: number): number => {
    let out = 0;
    for (let i = 0; i < width; i++) if (value & (1 << i)) out |= 1 << (width - 1 - i);
    return out;
  };
  let register = 0;
  for (const byte of bytes) {
    register ^= reverse(byte, 8) << 8;
    for (let i = 0; i < 8; i++) register = register & 0x8000 ? ((register << 1) ^ polynomial) & 0xffff : register << 1;
  }
  return reverse(register, 16).toString(16).padStart(4, '0').toUpperCase();
}

const frame = (content: string): Buffer => {
  const bytes = Buffer.from(content, 'ascii');
  return Buffer.from(
    `\n${checksum(bytes)}${bytes.length.toString(16).padStart(4, '0').toUpperCase()}${content}\r`,
    'ascii',
  );
};

export class StrictReceiver {
  readonly received: Received[] = [];
  readonly options: Options;
  readonly #tcp = createServer((socket) => this.#connected(socket));
  readonly #udp = createSocket('udp4');
  readonly #sockets = new Set<Socket>();
  /** Most frames that were there before their predecessor was answered; a sender must not pipeline. */
  pipelined = 0;

  constructor(options: Options) {
    this.options = options;
  }

  async start(): Promise<{ host: string; port: number }> {
    this.#tcp.listen(0, '127.0.0.1');
    await once(this.#tcp, 'listening');
    const { port } = this.#tcp.address() as AddressInfo;
    this.#udp.on('message', (message, from) => {
      const answer = this.#answer(message, 'udp', from.address);
      if (answer) this.#udp.send(answer, from.port, from.address);
    });
    this.#udp.bind(port, '127.0.0.1');
    await once(this.#udp, 'listening');
    return { host: '127.0.0.1', port };
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#tcp.close();
    this.#udp.close();
    await once(this.#tcp, 'close');
  }

  /** Acknowledged messages, link supervision left out. */
  get alarms(): Received[] {
    return this.received.filter((r) => r.reply.endsWith('ACK') && r.token !== 'NULL');
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      // One whole frame a segment: anything else is refused by receivers in the field.
      if (chunk.indexOf(0x0a, 1) > 0) this.pipelined++;
      const answer = this.#answer(chunk, 'tcp', socket.remoteAddress ?? '');
      if (!answer) return;
      if (this.options.closes) socket.end(answer);
      else socket.write(answer);
    });
  }

  #answer(raw: Buffer, transport: Received['transport'], from: string): Buffer | null {
    const now = Date.now() + (this.options.clockMs ?? 0);
    const record: Received = {
      token: '',
      sequence: '',
      account: '',
      data: '',
      extended: [],
      timestamp: '',
      reply: '-',
      transport,
      from,
      at: performance.timeOrigin + performance.now(),
    };
    this.received.push(record);
    if (this.options.mute) return this.#noted(raw, record);
    const content = raw.subarray(9, -1);
    const head = raw.subarray(1, 9).toString('ascii');
    if (raw[0] !== 10 || raw.at(-1) !== 13) return null;
    if (head !== checksum(content) + content.length.toString(16).toUpperCase().padStart(4, '0')) return null;
    const nak = (): Buffer => {
      record.reply = 'NAK';
      return frame(`"NAK"0000R0L0A0[]_${stamp(now)}`);
    };
    const parts = /^"(\*?)(SIA-DCS|ADM-CID|NULL)"(\d{4})R([0-9A-F]{1,6})L([0-9A-F]{1,6})#([0-9A-F]{3,16})\[(.*)$/.exec(
      content.toString('latin1'),
    );
    if (!parts) return nak();
    const [, star, token, sequence, receiver, line, account, rest] = parts;
    Object.assign(record, { token, sequence, account });
    const key = this.options.accounts[account!];
    if (key === undefined || (key === null) !== (star === '')) return nak();
    let text = rest!;
    if (key) {
      const clear = /^(?:[0-9A-F]{32})+$/.test(text) ? aes(key, text) : '';
      const padded = /^([^|[\]]{1,16})\|(.*)$/s.exec(clear);
      const readable = padded && /\]_\d\d:\d\d:\d\d,\d\d-\d\d-\d{4}$/.test(padded[2]!);
      if (!readable) {
        if (!this.options.falseKey) return nak();
        record.reply = 'false ACK';
        return this.#acknowledge(`"*ACK"${sequence}R${receiver}L${line}#${account}`, this.options.falseKey, now);
      }
      text = padded[2]!;
    }
    const body = /^([^[\]]*)\]((?:\[[A-Z][^[\]]*\])*)_(\d\d:\d\d:\d\d,\d\d-\d\d-\d{4})$/.exec(text);
    if (!body || /[^\x20-\x7e]/.test(text)) return nak();
    record.data = body[1]!;
    record.extended = body[2] ? body[2].slice(1, -1).split('][') : [];
    record.timestamp = body[3]!;
    const [time, date] = body[3]!.split(',') as [string, string];
    const [month, day, year] = date.split('-') as [string, string, string];
    const ahead = Date.parse(`${year}-${month}-${day}T${time}Z`) - now;
    if (ahead > 20_000 || ahead < -40_000) return nak();
    if (token === 'NULL' && this.options.takesNull === false) return nak();
    if (token === 'NULL' ? sequence !== '0000' : sequence === '0000') return nak();
    const shapes: Record<string, RegExp> = {
      NULL: /^$/,
      'SIA-DCS': new RegExp(`^#${account}\\|Nri\\d{1,2}/[A-Z]{2}\\d{3}(\\|A[^|]{1,256})?$`),
      'ADM-CID': new RegExp(`^#${account}\\|[136]\\d{3} \\d{2} \\d{3}$`),
    };
    if (this.options.poison?.test(record.data)) return nak();
    if (record.extended.length > 1 || !shapes[token!]!.test(record.data)) return nak();
    const pair = `${sequence}R${receiver}L${line}#${account}`;
    if (this.options.refuseTokens?.includes(token!) || this.options.duh?.test(record.data)) {
      record.reply = 'DUH';
      return frame(`"DUH"${pair}[]`);
    }
    record.reply = 'ACK';
    return key ? this.#acknowledge(`"*ACK"${pair}`, key, now) : frame(`"ACK"${pair}[]`);
  }

  #noted(raw: Buffer, record: Received): null {
    const [, token = '', sequence = ''] = /"\*?([A-Z-]+)"(\d{4})/.exec(raw.toString('latin1')) ?? [];
    Object.assign(record, { token, sequence });
    return null;
  }

  #acknowledge(head: string, key: Buffer, now: number): Buffer {
    const tail = `|]_${stamp(now)}`;
    const pad = 'p'.repeat(16 - (tail.length % 16));
    const cipher = createCipheriv(`aes-${key.length * 8}-cbc`, key, Buffer.alloc(16));
    cipher.setAutoPadding(false);
    return frame(`${head}[${(cipher.update(pad + tail, 'latin1', 'hex') + cipher.final('hex')).toUpperCase()}`);
  }
}

function aes(key: Buffer, hex: string): string {
  const decipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, Buffer.alloc(16));
  decipher.setAutoPadding(false);
  return decipher.update(hex, 'hex', 'latin1') + decipher.final('latin1');
}

function stamp(ms: number): string {
  const d = new Date(ms);
  const two = (n: number) => String(n).padStart(2, '0');
  const time = [d.getUTCHours(), d.getUTCMinutes(), d.getUTCSeconds()].map(two).join(':');
  return `${time},${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}-${d.getUTCFullYear()}`;
}
