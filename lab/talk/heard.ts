/** What a loudspeaker of the lab has heard: as it came, and when each piece did. */
export class Heard {
  /** In the word of whoever it came from. */
  codec: string;
  #pieces: { atMs: number; data: Buffer }[] = [];
  #bytes = 0;

  constructor(codec = '') {
    this.codec = codec;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(data: Buffer): void {
    if (data.length === 0) return;
    this.#pieces.push({ atMs: Date.now(), data: Buffer.from(data) });
    this.#bytes += data.length;
    // Some minutes of G.711.
    while (this.#bytes > 4_000_000) this.#bytes -= this.#pieces.shift()!.data.length;
  }

  forget(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }

  /** For the control API: all sound since it was forgotten last, and where in it what came when. */
  told() {
    let at = 0;
    const pieces = this.#pieces.map(({ atMs, data }) => {
      const from = at;
      at += data.length;
      return { atMs, at: from, bytes: data.length };
    });
    const base64 = Buffer.concat(this.#pieces.map(({ data }) => data)).toString('base64');
    return { codec: this.codec, bytes: this.#bytes, pieces, base64 };
  }
}
