import { randomBytes } from 'node:crypto';

const LABEL = /^[a-z2-7]{26}$/;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * Where pages of devices live: each session on an origin of its own, `https://{random}.devices.example.org`, so that a page
 * of a device reaches neither the portal nor another device. Browsers resolve `*.localhost` to this machine by themselves.
 */
export class DeviceOrigins {
  readonly #scheme: string;
  readonly #domain: string;
  /** What a Host header ends in: the domain and the port, where it is not the scheme's own. */
  readonly #suffix: string;

  private constructor(scheme: string, domain: string, port: string) {
    this.#scheme = scheme;
    this.#domain = domain;
    this.#suffix = `.${domain}${port === '' ? '' : `:${port}`}`;
  }

  /** From `https://*.devices.example.org`; throws a text for whoever set it. The portal must not lie below it. */
  static parse(text: string, publicUrl?: URL): DeviceOrigins {
    const m = /^(https?):\/\/\*\.([a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::(\d{1,5}))?\/?$/i.exec(text);
    if (!m) throw new Error(`${text}: an address like https://*.devices.example.org is needed`);
    const [scheme, domain] = [m[1]!.toLowerCase(), m[2]!.toLowerCase()];
    // The URL parser leaves out a port that is the scheme's own, as browsers do.
    const { port } = new URL(`${scheme}://${domain}${m[3] ? `:${m[3]}` : ''}`);
    const portal = publicUrl?.hostname;
    if (portal === domain || portal?.endsWith(`.${domain}`))
      throw new Error(`${text}: the portal (${portal}) must not share this domain with pages of devices`);
    if (publicUrl?.protocol === 'https:' && scheme !== 'https')
      throw new Error(`${text}: must be https, as the portal is`);
    return new DeviceOrigins(scheme, domain, port);
  }

  get secure(): boolean {
    return this.#scheme === 'https';
  }

  /** 130 random bits: nobody finds the address of a session by trying. */
  newLabel(): string {
    return [...randomBytes(26)].map((byte) => ALPHABET[byte & 31]).join('');
  }

  of(label: string): string {
    return `${this.#scheme}://${label}${this.#suffix}`;
  }

  /** Whether a Host header names anything in the domain, however it is written. The portal is not served there. */
  owns(host: string | undefined): boolean {
    const name = (host ?? '').toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
    return name.endsWith(`.${this.#domain}`) || (name === this.#domain && name !== 'localhost');
  }

  /** The session's label of a Host header as browsers write it; null for anything else. */
  label(host: string | undefined): string | null {
    if (!host?.endsWith(this.#suffix)) return null;
    const label = host.slice(0, -this.#suffix.length);
    return LABEL.test(label) ? label : null;
  }
}

/** Without an option: browsers take every name below `localhost` for this machine. A public relay needs an address; null: none. */
export function localOrigin(publicUrl: URL | null, port: number): string | null {
  if (publicUrl === null) return `http://*.localhost:${port}`;
  const local = publicUrl.protocol === 'http:' && /^(localhost|127\.[\d.]+)$/.test(publicUrl.hostname);
  return local ? `http://*.localhost:${publicUrl.port || '80'}` : null;
}
