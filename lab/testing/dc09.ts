import { createCipheriv } from 'node:crypto';
import { connect } from 'node:net';

/** DC-09 written by hand, so that the receiver is not tested with the code of who talks to it. */
export function frame(body: string): Buffer {
  let crc = 0;
  for (const byte of Buffer.from(body)) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  const hex = (n: number) => n.toString(16).toUpperCase().padStart(4, '0');
  return Buffer.from(`\n${hex(crc)}${hex(body.length)}${body}\r`);
}

export function stamp(ms = Date.now()): string {
  const [date, time] = new Date(ms).toISOString().split('T') as [string, string];
  const [year, month, day] = date.split('-');
  return `${time.slice(0, 8)},${month}-${day}-${year}`;
}

export const plain = (sequence: number, data: string, account = '1234', id = 'SIA-DCS') =>
  frame(`"${id}"${String(sequence).padStart(4, '0')}R0L0#${account}[#${account}|${data}]_${stamp()}`);

/** §5.4: pad to 16 bytes before `|`, AES-CBC with IV 0, hex, no closing bracket. */
export function encrypted(sequence: number, data: string, account: string, keyHex: string, id = '*ADM-CID'): Buffer {
  const tail = `|#${account}|${data}]_${stamp()}`;
  const text = '0123456789ABCDEF'.slice(0, 16 - (tail.length % 16)) + tail;
  const key = Buffer.from(keyHex, 'hex');
  const cipher = createCipheriv(`aes-${key.length * 8}-cbc`, key, Buffer.alloc(16)).setAutoPadding(false);
  const hex = (cipher.update(text, 'latin1', 'hex') + cipher.final('hex')).toUpperCase();
  return frame(`"${id}"${String(sequence).padStart(4, '0')}R0L0#${account}[${hex}`);
}

/** Sends on a connection of its own; gives the answer, the error code, or null after `waitMs` without either. */
export function exchange(to: { host: string; port: number }, bytes: Buffer, waitMs = 1000): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(to, () => socket.write(bytes));
    const done = (result: string | null) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => done(null), waitMs);
    socket.on('data', (answer) => done(answer.toString('latin1').trim()));
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    socket.on('end', () => done('closed'));
  });
}
