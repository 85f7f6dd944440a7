/** A few at a time, in the order they asked. */
export class Turns {
  #free: number;
  readonly #line = new Set<() => void>();

  constructor(width: number) {
    this.#free = width;
  }

  /** Calls back when it is this one's turn; the answer ends the turn, or leaves the line. */
  ask(turn: () => void): () => void {
    let state: 'waiting' | 'having' | 'over' = 'waiting';
    const begin = () => {
      state = 'having';
      turn();
    };
    if (this.#free > 0) {
      this.#free--;
      begin();
    } else this.#line.add(begin);
    return () => {
      const had = state === 'having';
      state = 'over';
      this.#line.delete(begin);
      if (!had) return;
      const [next] = this.#line;
      if (next) {
        this.#line.delete(next);
        next();
      } else this.#free++;
    };
  }
}
