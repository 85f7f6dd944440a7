import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { DialGuard } from './dial-guard.ts';

/** Without the operator's exceptions: says whether an address is internal. */
const STRICT = new DialGuard({ allow: [] });

/** Where to dial for an address that a person entered. In clear only inside networks that the operator named. */
export async function postTarget(
  guard: DialGuard,
  url: string,
): Promise<{ address: string } | { refused: string; unknown: boolean }> {
  const { protocol, hostname, username, password } = new URL(url);
  if (username || password) return { refused: 'an address without a user is needed', unknown: false };
  const found = await guard.resolve(hostname);
  if (!found.ok) return { refused: found.text, unknown: found.reason === 'unknown-host' };
  if (protocol !== 'https:' && (await STRICT.resolve(found.address)).ok)
    return { refused: 'an https address is needed', unknown: false };
  return { address: found.address };
}

/**
 * A POST to the address that the guard found, whatever the name says by now. Redirects are not followed, and what is
 * answered is not read. Rejects when there is no answer.
 */
export function post(
  url: string,
  address: string,
  headers: Record<string, string>,
  body: Buffer,
  signal: AbortSignal,
): Promise<{ status: number; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const family = isIP(address);
    const lookup = ((_name, options, callback) => {
      if (options.all) callback(null, [{ address, family }]);
      else callback(null, address, family);
    }) as LookupFunction;
    const request = url.startsWith('https:') ? httpsRequest : httpRequest;
    const sending = request(
      url,
      { method: 'POST', headers: { ...headers, 'content-length': body.length }, lookup, agent: false, signal },
      (response) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers });
        // What it says is of no use, and could be endless.
        response.destroy();
      },
    );
    sending.on('error', reject);
    sending.end(body);
  });
}
