import { Transform, type TransformCallback } from 'node:stream';
import { createGunzip, createInflate, createInflateRaw } from 'node:zlib';

/** Addresses that mean the device: what its pages call it, and what they are to call it here. */
export interface Names {
  /** `host:port` on its LAN, of the page's own connection. */
  address: string;
  tls: boolean;
  /** Where the page lives in the browser. */
  origin: string;
}

/** The longest address, all written in the longest way: `https%3A%2F%2F255.255.255.255%3A65535`. */
const LONGEST = 48;
const HTTP_PORTS: Record<string, string> = { http: '80', ws: '80', https: '443', wss: '443' };

const hostOf = (address: string): string => address.replace(/:\d+$/, '');
const portOf = (address: string): string => address.slice(address.lastIndexOf(':') + 1);

/**
 * Finds absolute addresses of the device in a text, as pages, scripts and headers write them. Another port of the device is left
 * as it is, but for those of http and https, behind which it has the same pages.
 */
export class Links {
  readonly #pattern: RegExp;
  readonly #port: string;
  readonly #origin: string;

  constructor({ address, origin }: Names) {
    const host = hostOf(address).replaceAll('.', '\\.');
    this.#port = portOf(address);
    this.#origin = origin;
    this.#pattern = new RegExp(
      `(?:(https?|wss?)(:\\/\\/|:\\\\\\/\\\\\\/|%3A%2F%2F)|(?<=["'(=\\s])(\\/\\/))${host}(?:(?::|%3A)(\\d{1,5}))?(?![\\w.-])`,
      'gi',
    );
  }

  rewrite(text: string): string {
    return text.replace(this.#pattern, (...match) => this.#replacement(match as string[]));
  }

  /** Rewrites what begins from `begin` on and before `end`; tells where it has stopped. */
  between(text: string, begin: number, end: number): { done: string; at: number } {
    let [done, at] = ['', begin];
    for (const match of text.matchAll(this.#pattern)) {
      if (match.index >= end) break;
      if (match.index < begin) continue;
      done += text.slice(at, match.index) + this.#replacement([...match] as string[]);
      at = match.index + match[0].length;
    }
    const to = Math.max(at, end);
    return { done: done + text.slice(at, to), at: to };
  }

  #replacement([whole, scheme, separator, relative, port]: string[]): string {
    const known = scheme?.toLowerCase() ?? 'http';
    const meant = port ?? (relative ? this.#port : (HTTP_PORTS[known] as string));
    if (meant !== this.#port && meant !== '80' && meant !== '443') return whole as string;
    if (relative) return this.#origin.replace(/^https?:/, '');
    const absolute = known.startsWith('ws') ? this.#origin.replace(/^http/, 'ws') : this.#origin;
    if (separator === '://') return absolute;
    return separator?.startsWith('%') ? encodeURIComponent(absolute) : absolute.replaceAll('/', '\\/');
  }
}

/** {@link Links} on a stream of bytes, whatever their encoding is: addresses are ASCII in all of them. */
export class LinkRewriter extends Transform {
  readonly #links: Links;
  /** What is not decided yet, behind one character that was: the quote before an address. */
  #rest = '';
  #decided = 0;

  constructor(links: Links) {
    super();
    this.#links = links;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#rest += chunk.toString('latin1');
    done(null, this.#next(this.#rest.length - LONGEST));
  }

  override _flush(done: TransformCallback): void {
    done(null, this.#next(this.#rest.length));
  }

  #next(end: number): Buffer {
    if (end <= this.#decided) return Buffer.alloc(0);
    const { done, at } = this.#links.between(this.#rest, this.#decided, end);
    this.#rest = this.#rest.slice(at - 1);
    this.#decided = 1;
    return Buffer.from(done, 'latin1');
  }
}

/** Unpacks gzip, or what devices call deflate: zlib's form, or without its frame. Never holds more than a chunk of output. */
export class Unpack extends Transform {
  readonly #encoding: string;
  #inner: Transform | null = null;

  constructor(encoding: string) {
    super();
    this.#encoding = encoding;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#inner ??= this.#open(chunk);
    this.#inner.write(chunk, done);
  }

  override _read(size: number): void {
    this.#inner?.resume();
    super._read(size);
  }

  override _flush(done: TransformCallback): void {
    if (this.#inner) this.#inner.once('end', () => done()).end();
    else done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#inner?.destroy();
    done(error);
  }

  #open(chunk: Buffer): Transform {
    const zlib = (chunk[0]! & 0x0f) === 8;
    const inner = this.#encoding.endsWith('gzip') ? createGunzip() : zlib ? createInflate() : createInflateRaw();
    inner.on('data', (data: Buffer) => {
      if (!this.push(data)) inner.pause();
    });
    inner.on('error', (error) => this.destroy(error));
    return inner;
  }
}
