import { DigestLogin, type LoginCounter } from '../isapi/digest.ts';
import type { DeviceProfile } from './profile.ts';

type PasswordOf = (user: string) => string | null;

export const digestOf = ({ odd }: DeviceProfile, counter: LoginCounter, password: PasswordOf) =>
  new DigestLogin({
    password,
    counter,
    realm: odd.realm,
    algorithms: odd.algorithms,
    qop: odd.qop,
    saysStale: odd.saysStale,
  });

/** Unlike over HTTP, a nonce is good for as long as the session lasts. */
export const rtspDigestOf = ({ odd }: DeviceProfile, counter: LoginCounter, password: PasswordOf) =>
  new DigestLogin({
    password,
    counter,
    realm: odd.realm,
    algorithms: ['MD5'],
    qop: false,
    saysStale: odd.saysStale,
    nonceLifeMs: Number.POSITIVE_INFINITY,
  });
