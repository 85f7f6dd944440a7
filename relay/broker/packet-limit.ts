/**
 * Watches the bytes of an MQTT stream for a packet larger than allowed, by its fixed header alone: the parser would
 * first collect up to 256 MB of it (MQTT 3.1.1 §2.2.3).
 */
export class PacketLimit {
  readonly #maxBytes: number;
  /** Bytes of the current packet still to come, or null while its length is being read. */
  #left: number | null = null;
  #length = 0;
  #lengthBytes = 0;
  #typeRead = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** False as soon as a packet is too large or its length is malformed. */
  accept(chunk: Buffer): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left !== null) {
        const skip = Math.min(this.#left, chunk.length - at);
        at += skip;
        this.#left -= skip;
        if (this.#left === 0) this.#left = null;
        continue;
      }
      const byte = chunk[at++]!;
      if (!this.#typeRead) {
        this.#typeRead = true;
        this.#length = this.#lengthBytes = 0;
        continue;
      }
      this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes++;
      if (byte & 0x80) {
        if (this.#lengthBytes === 4) return false;
        continue;
      }
      if (this.#length > this.#maxBytes) return false;
      this.#typeRead = false;
      this.#left = this.#length === 0 ? null : this.#length;
    }
    return true;
  }
}
