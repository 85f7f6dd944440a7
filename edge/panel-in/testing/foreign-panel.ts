import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';

/*
 * A panel as others build them: DC-09 written here from the standard without a line of the product's codec, a queue that
 * shrinks only by acknowledgements that it has checked, a main receiver and a back-up one.
 */

export interface Target {
  host: string;
  port: number;
}

interface Options {
  account: string;
  key?: Buffer;
  transport: 'tcp' | 'udp';
  /** The first is the main receiver; on failure the next one is tried. */
  targets: Target[];
  /** One connection for all messages, not one each. */
  keepsOpen?: boolean;
  /** Sends each frame in pieces of so many bytes. */
  pieces?: number;
  /** Behind each frame. */
  trailing?: Buffer;
  /** Added to the true time. */
  clockMs?: number;
  timeoutMs?: number;
}

const CRC = Array.from({ length: 256 }, (_, i) => {
  let value = i;
  for (let k = 0; k < 8; k++) value = value % 2 ? (value >> 1) ^ 0xa001 : value >> 1;
  return value;
});
const crcOf = (text: Buffer): string => {
  let sum = 0;
  for (const byte of text) sum = (sum >> 8) ^ CRC[(sum ^ byte) & 255]!;
  return sum.toString(16).padStart(4, '0').toUpperCase();
};
const two = (n: number) => String(n).padStart(2, '0');

export class ForeignPanel {
  readonly #o: Options;
  readonly #queue: { sequence: number; data: string; id: string }[] = [];
  #sequence = 0;
  #socket: Socket | null = null;
  #skewMs = 0;
  sent = 0;
  /** Replies that were none of ours: wrong number, account, key or sum. */
  bad = 0;
  naks = 0;

  constructor(options: Options) {
    this.#o = options;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** `data` after `#account|`: `Nri1/BA003`, `1130 01 007`. */
  push(data: string): void {
    this.#sequence = (this.#sequence % 9999) + 1;
    this.#queue.push({ sequence: this.#sequence, data, id: data.startsWith('N') ? 'SIA-DCS' : 'ADM-CID' });
  }

  /** Sends until the queue is empty, or nobody answers `rounds` times. */
  async drain(rounds = 10): Promise<void> {
    for (let failed = 0; this.#queue.length > 0 && failed < rounds; ) {
      const { sequence, data, id } = this.#queue[0]!;
      if (await this.#deliver(id, sequence, data)) {
        this.#queue.shift();
        this.sent++;
        failed = 0;
      } else failed++;
    }
    this.#socket?.destroy();
    this.#socket = null;
  }

  /** Supervision; true when it was acknowledged. */
  poll(): Promise<boolean> {
    return this.#deliver('NULL', 0, null);
  }

  async #deliver(id: string, sequence: number, data: string | null): Promise<boolean> {
    for (const target of this.#o.targets) {
      const reply = await this.#exchange(target, this.#frame(id, sequence, data)).catch(() => null);
      if (reply && this.#judge(reply, sequence)) return true;
    }
    return false;
  }

  #frame(id: string, sequence: number, data: string | null): Buffer {
    const { account, key } = this.#o;
    const at = new Date(Date.now() + (this.#o.clockMs ?? 0) + this.#skewMs);
    const time = `_${[at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()].map(two).join(':')},${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}-${at.getUTCFullYear()}`;
    const rest = `${data === null ? '' : `#${account}|${data}`}]${time}`;
    const head = `"${key ? '*' : ''}${id}"${String(sequence).padStart(4, '0')}L0#${account}[`;
    let body = head + rest;
    if (key) {
      const fill = 16 - ((rest.length + 1) % 16);
      const pad = [...randomBytes(fill)].map((b) => (b === 91 || b === 93 || b === 124 ? 48 : b));
      const cipher = createCipheriv(`aes-${key.length * 8}-cbc`, key, Buffer.alloc(16));
      cipher.setAutoPadding(false);
      const clear = Buffer.concat([Buffer.from(pad), Buffer.from(`|${rest}`)]);
      body =
        head +
        Buffer.concat([cipher.update(clear), cipher.final()])
          .toString('hex')
          .toUpperCase();
    }
    const bytes = Buffer.from(body, 'latin1');
    const length = bytes.length.toString(16).toUpperCase().padStart(4, '0');
    const frame = Buffer.concat([Buffer.from(`\n${crcOf(bytes)}${length}`), bytes, Buffer.from('\r')]);
    return this.#o.trailing ? Buffer.concat([frame, this.#o.trailing]) : frame;
  }

  #judge(reply: Buffer, sequence: number): boolean {
    const { key, account } = this.#o;
    const body = reply.subarray(9, -1);
    const text = body.toString('latin1');
    const head = crcOf(body) + body.length.toString(16).toUpperCase().padStart(4, '0');
    if (reply[0] !== 10 || reply.at(-1) !== 13 || reply.toString('latin1', 1, 9) !== head) {
      this.bad++;
      return false;
    }
    const nak = /^"NAK"0000R0L0A0\[\]_(\d\d):(\d\d):(\d\d),(\d\d)-(\d\d)-(\d{4})$/.exec(text);
    if (nak) {
      this.naks++;
      const [h, m, s, month, day, year] = nak.slice(1).map(Number) as [number, number, number, number, number, number];
      this.#skewMs = Date.UTC(year, month - 1, day, h, m, s) - Date.now() - (this.#o.clockMs ?? 0);
      return false;
    }
    const ours = `${String(sequence).padStart(4, '0')}L0#${account}[`;
    if (!key && text === `"ACK"${ours}]`) return true;
    if (key && text.startsWith(`"*ACK"${ours}`)) {
      const decipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, Buffer.alloc(16));
      decipher.setAutoPadding(false);
      const hex = text.slice(text.indexOf('[') + 1);
      const clear = decipher.update(hex, 'hex', 'latin1') + decipher.final('latin1');
      if (/^[^|[\]]{1,16}\|\]_\d\d:\d\d:\d\d,\d\d-\d\d-\d{4}$/s.test(clear)) return true;
    }
    this.bad++;
    return false;
  }

  #exchange(target: Target, frame: Buffer): Promise<Buffer> {
    return this.#o.transport === 'udp' ? this.#datagram(target, frame) : this.#stream(target, frame);
  }

  #datagram({ host, port }: Target, frame: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const socket = createSocket('udp4');
      const end = (error: Error | null, reply?: Buffer) => {
        clearTimeout(timer);
        socket.close();
        if (reply) resolve(reply);
        else reject(error);
      };
      const timer = setTimeout(() => end(new Error('no reply')), this.#o.timeoutMs ?? 300);
      socket.on('message', (reply) => end(null, reply));
      socket.on('error', (error) => end(error));
      socket.send(frame, port, host);
    });
  }

  #stream({ host, port }: Target, frame: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const socket = this.#socket ?? connect(port, host);
      const fresh = socket !== this.#socket;
      socket.removeAllListeners();
      let got = Buffer.alloc(0);
      let written = false;
      const end = (error: Error | null) => {
        clearTimeout(timer);
        socket.removeAllListeners().on('error', () => {});
        if (!error && this.#o.keepsOpen) this.#socket = socket;
        else {
          this.#socket = null;
          socket.destroy();
        }
        if (error) reject(error);
        else resolve(got);
      };
      const timer = setTimeout(() => end(new Error('no reply')), this.#o.timeoutMs ?? 1_000);
      socket.on('data', (chunk) => {
        got = Buffer.concat([got, chunk]);
        if (written && got.at(-1) === 13) end(null);
      });
      socket.on('error', end);
      socket.on('close', () => end(new Error('closed')));
      const send = async () => {
        const size = this.#o.pieces ?? frame.length;
        for (let at = 0; at < frame.length; at += size) {
          socket.write(frame.subarray(at, at + size));
          if (size < frame.length) await new Promise((r) => setImmediate(r));
        }
        written = true;
        // The reply may have come before what stands behind the frame was out.
        if (got.at(-1) === 13) end(null);
      };
      socket.setNoDelay(true);
      if (fresh) socket.on('connect', () => void send());
      else void send();
    });
  }
}
