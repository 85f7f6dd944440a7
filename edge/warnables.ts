import type { Logger } from 'pino';
import { type Clock, iso } from '../protocol/clock.ts';
import type { Warnable, WarnableCode } from '../protocol/wire/warnable.ts';

/**
 * The box's registry of problems that a person should know of, shown alike in UI, API, MQTT and log. Raising one that
 * stands already only renews its text; `since` stays.
 */
export class Warnables {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #standing = new Map<string, Warnable>();
  readonly #listeners = new Set<() => void>();

  constructor(o: { clock: Clock; log: Logger }) {
    this.#clock = o.clock;
    this.#log = o.log;
  }

  raise(code: WarnableCode, subject: string, severity: Warnable['severity'], text: string): void {
    const key = `${code} ${subject}`;
    const standing = this.#standing.get(key);
    if (standing?.text === text && standing.severity === severity) return;
    const since = standing?.since ?? iso(this.#clock.now());
    this.#standing.set(key, { code, subject, severity, text: text.slice(0, 512), since });
    this.#log[severity === 'warning' ? 'warn' : severity]({ warnable: code, subject }, text);
    this.#changed();
  }

  clear(code: WarnableCode, subject: string): void {
    if (!this.#standing.delete(`${code} ${subject}`)) return;
    this.#log.info({ warnable: code, subject, cleared: true }, `${code} is over`);
    this.#changed();
  }

  /** Worst first, then oldest first. */
  list(): Warnable[] {
    const rank = { error: 0, warning: 1, info: 2 };
    return [...this.#standing.values()]
      .sort((a, b) => rank[a.severity] - rank[b.severity] || a.since.localeCompare(b.since))
      .slice(0, 500);
  }

  onChange(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  #changed(): void {
    for (const fn of this.#listeners) fn();
  }
}
