/** Kept between pictures; a key frame that needed more gives it back. */
const KEPT_BYTES = 256 * 1024;

/**
 * Collects the NAL units of one picture, each behind its 32-bit length, in a buffer that is used again for the next one: what
 * packets bring is copied once on arrival and once into the finished picture, and nothing else is allocated.
 */
export class UnitBuffer {
  /** More than allowed came since the last {@link clear}. */
  overflowed = false;
  readonly #maxBytes: number;
  #buffer = Buffer.allocUnsafeSlow(KEPT_BYTES);
  #length = 0;
  #openAt = -1;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#openAt < 0 ? this.#length : this.#openAt;
  }

  /** Begins a NAL unit. One that was begun and not ended is dropped. */
  begin(): void {
    if (this.#openAt >= 0) this.#length = this.#openAt;
    this.#openAt = -1;
    const openAt = this.#length;
    if (this.#room(openAt + 4)) this.#openAt = openAt;
  }
  /** Returns what the open unit holds of its first bytes. */
  head(bytes: number): Buffer {
    if (this.#openAt < 0) return this.#buffer.subarray(0, 0);
    return this.#buffer.subarray(this.#openAt + 4, Math.min(this.#openAt + 4 + bytes, this.#length));
  }
  append(data: Buffer): void {
    const at = this.#length;
    if (this.#openAt >= 0 && this.#room(at + data.length)) data.copy(this.#buffer, at);
  }
  end(): void {
    if (this.#openAt < 0 || this.overflowed) return;
    this.#buffer.writeUInt32BE(this.#length - this.#openAt - 4, this.#openAt);
    this.#openAt = -1;
  }
  /** A copy of all that is ended, behind `prefix`. */
  take(prefix: Buffer | null): Buffer {
    const start = prefix?.length ?? 0;
    const data = Buffer.allocUnsafe(start + this.length);
    prefix?.copy(data);
    this.#buffer.copy(data, start, 0, this.length);
    return data;
  }
  clear(): void {
    this.#length = 0;
    this.#openAt = -1;
    this.overflowed = false;
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafeSlow(KEPT_BYTES);
  }

  /** Makes that much the length; false: that is too much, and whatever comes until {@link clear} is. */
  #room(length: number): boolean {
    this.overflowed ||= length > this.#maxBytes;
    if (this.overflowed) return false;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#maxBytes, Math.max(length, this.#buffer.length * 2)));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    this.#length = length;
    return true;
  }
}
