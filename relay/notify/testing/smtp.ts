import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface Received extends Email {
  /** As the envelope said. */
  rcpt: string[];
  from_: string;
  raw: string;
  secure: boolean;
  user: string | null;
}

/** A real SMTP server on loopback, for tests: it can refuse, be stopped, and come back on the same port. */
export class TestSmtp {
  readonly mails: Received[] = [];
  /** What to say to a recipient, instead of taking it. */
  refuse: ((address: string) => { code: number; text: string } | null) | null = null;
  /** Called with the mail when it was taken, before the server says so. */
  onTaken: (() => void | Promise<void>) | null = null;
  readonly #options: SMTPServerOptions;
  #server: SMTPServer | null = null;
  port = 0;

  constructor(options: SMTPServerOptions = {}) {
    this.#options = options;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  async start(): Promise<this> {
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      disableReverseLookup: true,
      logger: false,
      ...this.#options,
      onRcptTo: ({ address }, _session, done) => {
        const no = this.refuse?.(address);
        if (!no) return done();
        done(Object.assign(new Error(no.text), { responseCode: no.code }));
      },
      onData: (stream, session, done) => {
        buffer(stream)
          .then(async (raw) => {
            const { envelope, secure, user } = session;
            this.mails.push({
              ...(await PostalMime.parse(raw)),
              rcpt: envelope.rcptTo.map((to) => to.address),
              from_: envelope.mailFrom ? envelope.mailFrom.address : '',
              raw: raw.toString(),
              secure,
              user: user === undefined ? null : String(user),
            });
            await this.onTaken?.();
            done();
          })
          .catch(done);
      },
    });
    // A client that hangs up is no matter here.
    this.#server.on('error', () => {});
    const listening = this.#server.listen(this.port, '127.0.0.1');
    await new Promise((resolve) => listening.once('listening', resolve));
    this.port = (listening.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server) await new Promise<void>((resolve) => server.close(resolve));
  }
}
