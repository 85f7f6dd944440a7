/** Why a device is left alone. */
export interface Refusal {
  by: 'isapi' | 'onvif' | 'snmp' | 'rtsp';
  text: string;
  /** The device said that it is locked after wrong passwords. */
  locked: boolean;
  /** Ends by itself: the device was locked before any credentials were sent, so they may be right. */
  temporary: boolean;
}

/**
 * One per device, shared by everything that logs in to it. Devices count wrong passwords over all protocols and lock
 * themselves for half an hour, so the first refused login stops every automatic try until a person enters credentials.
 */
export class LoginGuard {
  /**
   * Its pictures want another login than the rest of it, as some devices have it: that says nothing of the others, but each try
   * counts.
   */
  picturesRefused = false;
  #refused: Refusal | null = null;
  readonly #listeners = new Set<() => void>();

  get refused(): Refusal | null {
    return this.#refused;
  }

  /** The first refusal stands: a later one of another protocol says nothing new, but a lock does. */
  refuse(by: Refusal['by'], text: string, locked = false, temporary = false): void {
    if (this.#refused && (this.#refused.locked || !locked)) return;
    this.#refused = { by, text, locked, temporary };
    this.#notify();
  }

  /** A person entered credentials, or a lock that was none of ours is over: one new try is allowed. */
  reset(): void {
    this.picturesRefused = false;
    if (!this.#refused) return;
    this.#refused = null;
    this.#notify();
  }

  onChange(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  #notify(): void {
    for (const fn of [...this.#listeners]) fn();
  }
}
