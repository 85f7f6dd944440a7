import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { HttpBindings } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { secureHeaders } from 'hono/secure-headers';
import type { Logger } from 'pino';
import QRCode from 'qrcode';
import { z } from 'zod';
import { iso } from '../../protocol/clock.ts';
import { SetupPassword as PasswordBody, type RestreamInfo, type SetupStatus } from '../../protocol/wire/api.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import type { Health } from '../../protocol/wire/uplink.ts';
import type { Identity } from '../identity/identity.ts';
import { problemResponse } from '../problem-response.ts';
import type { UplinkState } from '../uplink/uplink.ts';
import type { SetupPassword, SignIn } from './password.ts';

const COOKIE = 'gatepost_setup';

export interface SetupDeps {
  identity: Pick<Identity, 'serial' | 'code'>;
  password: SetupPassword;
  discovery: { list(): DiscoveredDevice[]; scan(): Promise<void> };
  uplink: { state(): UplinkState; allowClaim(): boolean };
  tunnel: { state(): { connected: boolean } };
  /** Pages of devices through the tunnel: the switch is here, out of the relay's reach. */
  remote: { readonly allowed: boolean; allow(allowed: boolean): void };
  /** Streams on the LAN. */
  restream: { info(): RestreamInfo | null };
  relayUrl: string;
  health: () => Health;
  ready: () => boolean;
  metrics: () => Promise<string>;
  /** Extra names by which the page may be asked for, beside addresses and `localhost`. */
  hosts: string[];
  staticDir: string;
  log: Logger;
}

/**
 * The box's set-up page and its API under /api/setup. It listens on the LAN: a password from the first use on, the Host
 * header checked (a web page elsewhere must not reach it by a name that resolves to it), the code hidden once claimed.
 */
export function setupApp(o: SetupDeps): Hono {
  const app = new Hono();
  app.onError((error) => {
    o.log.error({ err: error }, 'a request to the set-up page failed');
    return problemResponse('internal-error');
  });
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'self'"], imgSrc: ["'self'", 'data:'], frameAncestors: ["'none'"] },
      crossOriginResourcePolicy: 'same-origin',
      strictTransportSecurity: false,
    }),
  );
  app.use(async (c, next) => {
    if (!knownHost(c.req.header('host'), o.hosts)) {
      return problemResponse('invalid-request', 'Ask for this page by the address of the box.');
    }
    await next();
  });

  app.get('/healthz', (c) => c.json({ ok: true }));
  app.get('/readyz', (c) => c.json({ ok: o.ready() }, o.ready() ? 200 : 503));
  app.get('/metrics', async (c) => {
    const remote = (c.env as Partial<HttpBindings> | undefined)?.incoming?.socket.remoteAddress ?? '';
    if (!/^(::ffff:)?127\.|^::1$/.test(remote)) return problemResponse('not-allowed', 'Metrics are for loopback.');
    return c.text(await o.metrics(), 200, { 'content-type': 'text/plain; version=0.0.4' });
  });

  const api = new Hono();
  api.use(bodyLimit({ maxSize: 4096, onError: () => problemResponse('payload-too-large') }));
  // A page of another origin may send a request here, but not with this header or this content type.
  api.use(async (c, next) => {
    const site = c.req.header('sec-fetch-site');
    if (c.req.method !== 'GET' && site !== undefined && site !== 'same-origin') return problemResponse('not-allowed');
    await next();
  });

  const token = (c: Context) => getCookie(c, COOKIE);
  const signIn = (c: Context, result: SignIn) => {
    if (!result.ok) return problemResponse(result.code, SIGN_IN_FAILED[result.code]);
    setCookie(c, COOKIE, result.token, { httpOnly: true, sameSite: 'Strict', path: '/' });
    return c.json({ ok: true });
  };
  const password = async (c: Context) => {
    const json = c.req.header('content-type')?.startsWith('application/json');
    return PasswordBody.safeParse(json ? await c.req.json().catch(() => null) : null);
  };

  api.get('/state', (c) =>
    c.json({ serial: o.identity.serial, firstUse: o.password.firstUse, signedIn: o.password.signedIn(token(c)) }),
  );
  api.post('/password', async (c) => {
    const body = await password(c);
    if (!body.success) {
      return problemResponse('invalid-request', 'A password has 8 to 128 characters.', [
        { path: 'password', message: '8 to 128 characters' },
      ]);
    }
    return signIn(c, await o.password.set(body.data.password));
  });
  api.post('/login', async (c) => {
    const body = await password(c);
    return signIn(
      c,
      body.success ? await o.password.login(body.data.password) : { ok: false, code: 'wrong-credentials' },
    );
  });
  api.post('/logout', (c) => {
    o.password.logout(token(c));
    deleteCookie(c, COOKIE);
    return c.json({ ok: true });
  });

  api.use(async (c, next) => {
    if (!o.password.signedIn(token(c))) return problemResponse('not-signed-in');
    await next();
  });
  api.get('/status', async (c) => c.json(await status(o)));
  api.get('/discovery', (c) => c.json({ items: o.discovery.list() }));
  api.post('/discovery/scan', async (c) => {
    await o.discovery.scan();
    return c.json({ items: o.discovery.list() });
  });
  api.post('/allow-claim', (c) =>
    o.uplink.allowClaim() ? c.json({ ok: true }) : problemResponse('box-unreachable', 'The relay is not connected.'),
  );
  api.post('/remote-configuration', async (c) => {
    const body = z.object({ allowed: z.boolean() }).safeParse(await c.req.json().catch(() => null));
    if (!body.success) return problemResponse('invalid-request');
    o.remote.allow(body.data.allowed);
    return c.json({ allowed: o.remote.allowed });
  });
  api.all('*', () => problemResponse('not-found'));
  app.route('/api/setup', api);

  app.use('*', serveStatic({ root: o.staticDir }));
  app.notFound(() => problemResponse('not-found'));
  return app;
}

const SIGN_IN_FAILED = {
  'wrong-credentials': 'The password is wrong.',
  'too-many-tries': 'Too many wrong passwords: wait a minute.',
  conflict: 'A password was set already: sign in with it.',
};

async function status(o: SetupDeps): Promise<SetupStatus> {
  const health = o.health();
  const { connected, since, lastError, claimed } = o.uplink.state();
  const text = `${o.relayUrl.replace(/\/$/, '')}/claim?serial=${o.identity.serial}&code=${o.identity.code}`;
  return {
    serial: o.identity.serial,
    version: health.version,
    relayUrl: o.relayUrl,
    claim: claimed
      ? null
      : { code: o.identity.code, text, qrSvg: await QRCode.toString(text, { type: 'svg', margin: 1 }) },
    claimed: claimed === true,
    relay: {
      mqtt: connected,
      tunnel: o.tunnel.state().connected,
      since: since === null ? null : iso(since),
      lastError,
    },
    interfaces: Object.entries(networkInterfaces()).flatMap(([name, list]) =>
      (list ?? [])
        .filter((i) => i.family === 'IPv4')
        .map((i) => ({ name, address: `${i.address}/${i.cidr?.split('/')[1]}` })),
    ),
    remoteConfiguration: o.remote.allowed,
    restream: o.restream.info(),
    health,
  };
}

/** True for an IP address, `localhost`, the box's own mDNS name or a name the operator allowed, with any port. */
function knownHost(header: string | undefined, hosts: string[]): boolean {
  if (!header || header.length > 255) return false;
  const name = header
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  return isIP(name) > 0 || name === 'localhost' || hosts.includes(name);
}
