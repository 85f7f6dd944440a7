import { createHash, createHmac } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import type { IceServer } from '../../protocol/wire/video.ts';

/** How boxes and viewers find a direct way to one another. */
export interface IceOptions {
  /** `stun:host:port` */
  stun?: string[];
  /** `turn:host:port?transport=udp`, `turns:…` */
  turn?: string[];
  /** Shared with the TURN server (coturn: `use-auth-secret`, `static-auth-secret`). */
  turnSecret?: string;
}

/** Long enough to begin a view with; what is allocated by then stays. */
const CREDENTIALS_S = 600;

/**
 * Addresses of STUN and TURN servers, with credentials for one viewer and a short time: the user name is the time of their
 * end, the password its HMAC (draft-uberti-behave-turn-rest-00). The relay keeps nothing of them.
 */
export class IceServers {
  readonly #o: IceOptions;
  readonly #clock: Clock;

  constructor(options: IceOptions, clock: Clock) {
    this.#o = options;
    this.#clock = clock;
  }

  /** `who`: an id that the TURN server may log; it is hashed. */
  for(who: string): IceServer[] {
    const { stun = [], turn = [], turnSecret } = this.#o;
    const servers: IceServer[] = stun.length > 0 ? [{ urls: stun.slice(0, 8) }] : [];
    if (turn.length === 0 || !turnSecret) return servers;
    const until = Math.floor(this.#clock.now() / 1000) + CREDENTIALS_S;
    const username = `${until}:${createHash('sha256').update(who).digest('hex').slice(0, 16)}`;
    const credential = createHmac('sha1', turnSecret).update(username).digest('base64');
    return [...servers, { urls: turn.slice(0, 8), username, credential }];
  }
}
