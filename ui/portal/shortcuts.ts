/* Keys that go somewhere: `g` and a letter for the main pages, `/` to search, `?` for help. */

const OFF = 'gatepost.shortcuts';
/** How long the letter after `g` may take. */
const PAUSE_MS = 1_500;

export type Go = 'search' | 'help' | { letter: string };

/** Follows keys; gives what they mean, or null. Keys typed into a field mean nothing here. */
export class Shortcuts {
  #startedMs: number | null = null;

  key(key: string, nowMs: number): Go | null {
    const started = this.#startedMs;
    this.#startedMs = null;
    if (started !== null && nowMs - started <= PAUSE_MS) return /^[a-z]$/.test(key) ? { letter: key } : null;
    if (key === 'g') this.#startedMs = nowMs;
    if (key === '/') return 'search';
    return key === '?' ? 'help' : null;
  }
}

/** True when the key belongs to what has the focus. */
export function typesInto(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return element?.isContentEditable === true || /^(INPUT|SELECT|TEXTAREA|VIDEO|AUDIO)$/.test(element?.tagName ?? '');
}

export function shortcutsOn(): boolean {
  try {
    return localStorage.getItem(OFF) !== 'off';
  } catch {
    return true;
  }
}

/** Some people's speech input types letters: they switch it off. */
export function switchShortcuts(on: boolean): void {
  try {
    localStorage.setItem(OFF, on ? 'on' : 'off');
  } catch {
    // Then it is as it was when the page is opened again.
  }
}
