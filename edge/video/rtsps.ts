import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../protocol/clock.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import { handshake, OtherCertificate } from '../https/handshake.ts';
import { PullError } from './pull.ts';

/**
 * A connection for RTSP over TLS (`rtsps:`, RFC 7826 §19.2). The camera has to show the certificate that it was added with; one that was
 * added over plain HTTP has none, and is not asked. @throws PullError
 */
export async function connectSecurely(
  { host, port }: { host: string; port: number },
  { tls, clock }: { tls?: DeviceTls; clock: Clock },
  signal: AbortSignal,
): Promise<TLSSocket> {
  if (!tls) throw new PullError('forbidden', 'it wants its video over TLS, and was added without HTTPS');
  const trusts = (shown: string) => shown === tls.certificate;
  try {
    return await handshake({ host, port, old: tls.old, protocol: null, trusts, clock, signal });
  } catch (error) {
    if (error instanceof OtherCertificate)
      throw new PullError('forbidden', 'the camera shows another certificate than when it was added');
    throw new PullError('unreachable', `connection: ${(error as NodeJS.ErrnoException).code ?? 'TLS'}`);
  }
}
