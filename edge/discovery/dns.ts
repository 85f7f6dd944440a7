/*
 * DNS messages as far as multicast DNS needs them (RFC 1035 §4, RFC 6762): questions to ask, and of answers the four kinds of
 * records that say what a device is. Everything is bounded: datagrams come from anybody on the LAN.
 */
const MAX_RECORDS = 128;
const MAX_NAME_BYTES = 255;

export type DnsRecord = { name: string[]; ttl: number } & (
  | { type: 'PTR'; target: string[] }
  | { type: 'SRV'; port: number; target: string[] }
  | { type: 'TXT'; texts: string[] }
  | { type: 'A'; address: string }
);

/** One query for records of type PTR, as a one-shot querier sends it (RFC 6762 §5.1). */
export function ptrQuery(names: string[][]): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(names.length, 4);
  const questions = names.map((name) => {
    const labels = name.map((label) => Buffer.from(label)).flatMap((bytes) => [Buffer.from([bytes.length]), bytes]);
    // The end of the name, type PTR, class IN.
    return Buffer.concat([...labels, Buffer.from([0, 0, 12, 0, 1])]);
  });
  return Buffer.concat([header, ...questions]);
}

/** The known records of an answer; `ignore` for a question, null for what is no DNS. */
export function readDns(bytes: Buffer): DnsRecord[] | 'ignore' | null {
  if (bytes.length < 12) return null;
  const [flags, questions] = [bytes.readUInt16BE(2), bytes.readUInt16BE(4)];
  const records = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
  if ((flags & 0x8000) === 0) return 'ignore';
  if (questions + records > MAX_RECORDS) return null;
  let at = 12;
  for (let i = 0; i < questions; i++) {
    const name = readName(bytes, at);
    if (!name) return null;
    at = name.end + 4;
  }
  const found: DnsRecord[] = [];
  for (let i = 0; i < records; i++) {
    const name = readName(bytes, at);
    if (!name || name.end + 10 > bytes.length) return null;
    const [type, ttl] = [bytes.readUInt16BE(name.end), bytes.readUInt32BE(name.end + 4)];
    const begin = name.end + 10;
    at = begin + bytes.readUInt16BE(name.end + 8);
    if (at > bytes.length) return null;
    const data = readData(bytes, type, begin, at);
    if (data === null) return null;
    if (data) found.push({ name: name.labels, ttl, ...data });
  }
  return found;
}

type Data<T = DnsRecord> = T extends unknown ? Omit<T, 'name' | 'ttl'> : never;

/** Undefined: of another type. */
function readData(bytes: Buffer, type: number, begin: number, end: number): Data | null | undefined {
  if (type === 1) {
    return end - begin === 4 ? { type: 'A', address: bytes.subarray(begin, end).join('.') } : null;
  }
  if (type === 12) {
    const target = readName(bytes, begin);
    return target && target.end <= end ? { type: 'PTR', target: target.labels } : null;
  }
  if (type === 33) {
    const target = end - begin > 6 ? readName(bytes, begin + 6) : null;
    return target && target.end <= end
      ? { type: 'SRV', port: bytes.readUInt16BE(begin + 4), target: target.labels }
      : null;
  }
  if (type !== 16) return undefined;
  const texts: string[] = [];
  for (let at = begin; at < end; at += 1 + bytes[at]!) {
    const stop = at + 1 + bytes[at]!;
    if (stop > end) return null;
    texts.push(bytes.toString('utf8', at + 1, stop));
  }
  return { type: 'TXT', texts };
}

/** A name at `at`, and where what follows it begins. Pointers lead backwards only, so that none goes in a circle. */
function readName(bytes: Buffer, at: number): { labels: string[]; end: number } | null {
  const labels: string[] = [];
  let total = 0;
  let end: number | null = null;
  let lowest = at;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) return null;
    if (length === 0) return { labels, end: end ?? at + 1 };
    if (length >= 0xc0) {
      const low = bytes[at + 1];
      if (low === undefined) return null;
      end ??= at + 2;
      at = ((length & 0x3f) << 8) | low;
      if (at >= lowest) return null;
      lowest = at;
      continue;
    }
    total += length + 1;
    if (length > 63 || total > MAX_NAME_BYTES || at + 1 + length > bytes.length) return null;
    labels.push(bytes.toString('utf8', at + 1, at + 1 + length));
    at += 1 + length;
  }
}
