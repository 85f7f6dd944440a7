import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import { LoginGuard, type Refusal } from './login-guard.ts';

const MAX_KEPT = 512;
/** So long a lock lasts; a device may have been given that very password meanwhile, on its own page. */
const KEPT_MS = 30 * 60_000;

/**
 * Logins that devices of the LAN refused which are not looked after: the same one is not sent again, however often somebody
 * asks for it. Other passwords are tried. In memory only, and passwords only as keyed hashes.
 */
export class RefusedLogins {
  readonly #clock: Clock;
  readonly #key = randomBytes(32);
  readonly #kept = new Map<string, { mac: string; refusal: Refusal; untilMs: number }>();

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  /** For one login; it refuses at once what that device refused before. */
  guard(mac: string, username: string, password: string): LoginGuard {
    const login = createHmac('sha256', this.#key)
      .update(JSON.stringify([mac, username, password]))
      .digest('base64');
    const guard = new LoginGuard();
    const known = this.#kept.get(login);
    if (known && known.untilMs > this.#clock.mono()) {
      const text = 'It refused this user name and password a short time ago: they are not tried again. Enter others.';
      guard.refuse(known.refusal.by, known.refusal.locked ? known.refusal.text : text, known.refusal.locked);
    }
    guard.onChange(() => {
      const { refused } = guard;
      if (!refused) return;
      this.#kept.delete(login);
      this.#kept.set(login, { mac, refusal: refused, untilMs: this.#clock.mono() + KEPT_MS });
      for (const oldest of this.#kept.keys()) {
        if (this.#kept.size <= MAX_KEPT) break;
        this.#kept.delete(oldest);
      }
    });
    return guard;
  }

  /** It has another password now, which may be one that it refused. */
  forget(mac: string): void {
    for (const [login, kept] of this.#kept) if (kept.mac === mac) this.#kept.delete(login);
  }
}
