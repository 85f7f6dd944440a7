import type { IceServer as NativeIceServer } from 'node-datachannel';
import type { IceServer } from '../../protocol/wire/video.ts';

/** `turn:host:port?transport=tcp` as the library takes it. */
export function nativeServers({ urls, username, credential }: IceServer): (string | NativeIceServer)[] {
  return urls.flatMap((url): (string | NativeIceServer)[] => {
    const [, scheme, hostname, port, query = ''] =
      /^(stun|turns?):(\[[^\]]+\]|[^:?]+)(?::(\d+))?(\?.*)?$/.exec(url) ?? [];
    if (!scheme || !hostname) return [];
    if (scheme === 'stun') return [`stun:${hostname}:${port ?? 3478}`];
    const relayType = scheme === 'turns' ? 'TurnTls' : query.includes('tcp') ? 'TurnTcp' : 'TurnUdp';
    const host = hostname.replace(/^\[|\]$/g, '');
    const at = Number(port ?? (scheme === 'turns' ? 5349 : 3478));
    return [{ hostname: host, port: at, username, password: credential, relayType }];
  });
}
