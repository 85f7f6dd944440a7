import { constants } from 'node:crypto';
import { type ConnectionOptions, connect, DEFAULT_CIPHERS, type TLSSocket } from 'node:tls';
import type { Clock } from '../../protocol/clock.ts';

/** From the first packet to the end of the handshake; devices of fifteen years take two seconds for an RSA key. */
const HANDSHAKE_MS = 6_000;

/** The certificate is not the one that was expected; nothing was sent to whoever showed it. */
export class OtherCertificate extends Error {
  /** SHA-256 of the one that was shown. */
  readonly shown: string;

  constructor(shown: string) {
    super('another certificate');
    this.shown = shown;
  }
}

/**
 * TLS as devices speak it (docs/adr/0031-devices-over-https.md). Their certificates are self-signed, expired, of another name and of 1024 bits:
 * who a device is says the fingerprint alone, so nothing is asked of a chain. `old`: what devices of fifteen years speak, too.
 */
export function tlsOptions(old: boolean, protocol: string | null = 'http/1.1'): ConnectionOptions {
  return {
    rejectUnauthorized: false,
    minVersion: old ? 'TLSv1' : 'TLSv1.2',
    // Level 1 is 80 bits, which is RSA with 1024; OpenSSL's own level is 2 on some systems.
    ciphers: old ? 'DEFAULT@SECLEVEL=0' : `${DEFAULT_CIPHERS}:@SECLEVEL=1`,
    // A second handshake on the same connection could show another certificate.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (old ? constants.SSL_OP_LEGACY_SERVER_CONNECT : 0),
    ALPNProtocols: protocol === null ? undefined : [protocol],
  };
}

export interface TlsSession {
  ticket: Buffer;
  certificate: string;
}
export interface Handshake {
  host: string;
  port: number;
  old: boolean;
  /** Null: not HTTP. */
  protocol?: 'http/1.1' | null;
  /** Asked with the certificate's SHA-256 before anything else is sent. */
  trusts: (fingerprint: string) => boolean;
  /** Of an earlier connection, which saves the device the work for a key: who can go on with it is who showed that certificate. */
  session?: TlsSession;
  clock: Clock;
  signal?: AbortSignal;
}

/**
 * A TLS connection whose certificate is trusted. Rejects with {@link OtherCertificate} where it is not, else with why there is
 * none; one that takes longer than {@link HANDSHAKE_MS} is ended.
 */
export function handshake({
  host,
  port,
  old,
  protocol,
  trusts,
  session,
  clock,
  signal,
}: Handshake): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new Error('it was broken off'));
    const socket = connect({ host, port, session: session?.ticket, ...tlsOptions(old, protocol) });
    // Later errors are those of whoever uses it.
    socket.on('error', () => {});
    const end = (error: Error) => {
      settle();
      socket.destroy();
      reject(error);
    };
    const late = () => end(Object.assign(new Error('its TLS handshake took too long'), { code: 'ETIMEDOUT' }));
    const cancel = clock.after(HANDSHAKE_MS, late);
    const abort = () => end(new Error('it was broken off'));
    const settle = () => {
      cancel();
      signal?.removeEventListener('abort', abort);
      socket.off('error', end);
    };
    signal?.addEventListener('abort', abort);
    socket.on('error', end);
    socket.once('secureConnect', () => {
      // A session that is taken up again shows no certificate.
      const resumed = session && socket.isSessionReused() ? session.certificate : '';
      const shown = socket.getPeerX509Certificate()?.fingerprint256 ?? resumed;
      if (shown === '' || !trusts(shown)) return end(new OtherCertificate(shown));
      settle();
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}
