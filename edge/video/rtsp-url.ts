/**
 * Base address for the control attributes of an SDP: `Content-Base`, else `Content-Location`, else what was asked for.
 * Broken ones were seen in the field: `rtsp://rtsp://host/`, no scheme, an IPv6 address without brackets.
 */
export function baseUrl(requestUrl: string, contentBase: string | null, contentLocation: string | null): string {
  const base = (contentBase || contentLocation || '').trim().replace(/^(rtsps?:\/\/)+(?=rtsps?:\/\/)/i, '');
  if (base === '') return requestUrl;
  return isUsable(base) ? base : requestUrl;
}

const isUsable = (url: string) => /^rtsps?:\/\/(\[[0-9a-f:.]+\]|[^/:?[\]]+)(:\d+)?([/?]|$)/i.test(url);

/**
 * Resolves `a=control:` (RFC 2326 C.1.1) the way cameras mean it: an absolute one is taken word for word, a relative one
 * is appended, after a query too (`…/101?starttime=…/trackID=1`).
 */
export function resolveControl(base: string, control: string | null): string {
  const c = control?.trim() ?? '';
  if (c === '' || c === '*') return base;
  if (/^rtsps?:\/\//i.test(c)) {
    const once = c.replace(/^(rtsps?:\/\/)+(?=rtsps?:\/\/)/i, '');
    if (isUsable(once)) return once;
    // The authority is broken; the path behind it is what the server looks at.
    const path = /^rtsps?:\/\/[^/]*(\/.*)?$/i.exec(once)?.[1] ?? '/';
    return `${/^rtsps?:\/\/[^/?]+/i.exec(base)?.[0] ?? base}${path}`;
  }
  return `${base.replace(/\/$/, '')}/${c.replace(/^\//, '')}`;
}

/** Host and port to dial, over TLS where it is `secure`. Throws nothing: null for what is no RTSP address. */
export function rtspHost(url: string): { host: string; port: number; secure: boolean } | null {
  if (!URL.canParse(url)) return null;
  const u = new URL(url);
  const secure = u.protocol === 'rtsps:';
  if (!secure && u.protocol !== 'rtsp:') return null;
  const port = u.port === '' ? (secure ? 322 : 554) : Number(u.port);
  return { host: u.hostname.replace(/^\[|\]$/g, ''), port, secure };
}

/**
 * The ways in which ISAPI devices know the address of one stream (rtsp-media.md §1), the given one first: most take any, some
 * their own alone. Of other addresses there is one.
 */
export function spellings(url: string): string[] {
  const found = /^(rtsps?:\/\/[^/]+)\/Streaming\/Channels\/(\d+)(0\d)$/.exec(url);
  if (!found) return [url];
  const [, server, channel, stream] = found;
  const paths = ['ISAPI/Streaming/channels', 'Streaming/channels', 'PSIA/streaming/channels'];
  const old = `${server}/h264/ch${channel}/${stream === '01' ? 'main' : 'sub'}/av_stream`;
  return [url, ...paths.map((path) => `${server}/${path}/${channel}${stream}`), old];
}
