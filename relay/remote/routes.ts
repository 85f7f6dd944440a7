import { createRoute, z } from '@hono/zod-openapi';
import { Uuid } from '../../protocol/wire/ids.ts';
import { RemoteSession, RemoteSessions as Shown } from '../../protocol/wire/remote-config.ts';
import type { Api } from '../api/app.ts';
import { json, problems } from '../api/problem.ts';
import type { Remote } from './remote.ts';

const tags = ['Remote configuration'];
const DeviceParams = z.object({ deviceId: Uuid });
const SessionParams = DeviceParams.extend({ remoteSessionId: Uuid });
const refusals = ['not-allowed', 'account-limited', 'permission-needed', 'not-found'] as const;

export function registerRemoteRoutes(app: Api, { remote }: { remote: Remote }): void {
  const shown = RemoteSession.meta({ id: 'RemoteSession' });
  app.openapi(
    createRoute({
      method: 'get',
      path: '/devices/{deviceId}/remote-sessions',
      operationId: 'listRemoteSessions',
      tags,
      summary: 'Who has the device’s own page open, and whether it can be opened',
      request: { params: DeviceParams },
      responses: {
        200: json(Shown.extend({ items: z.array(shown) }).meta({ id: 'RemoteSessions' }), 'Oldest first'),
        ...problems(...refusals),
      },
    }),
    async (c) => {
      const { deviceId } = c.req.valid('param');
      return c.json(await remote.list(c.get('scope'), c.get('principal'), deviceId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/devices/{deviceId}/remote-sessions',
      operationId: 'openRemoteSession',
      tags,
      summary: 'Open the device’s own page',
      description:
        'The address is good in the browser that is signed in with this session only, ends after 15 minutes without use, after 8 hours, and with the sign-in or the permission. The same session is given again while it is open.',
      request: { params: DeviceParams },
      responses: {
        201: json(shown, 'Open its `url` in a window of its own'),
        ...problems(...refusals, 'conflict', 'limit-reached'),
      },
    }),
    async (c) => {
      const { deviceId } = c.req.valid('param');
      const [scope, principal] = [c.get('scope'), c.get('principal')];
      const { host } = c.req.header();
      const session = await remote.open(scope, principal, deviceId, c.get('scopeNow'), {
        host: host ?? '',
        remote: c.env.incoming,
      });
      const { id, siteId, name } = session.device;
      c.set('audit', { siteId, target: { kind: 'device', id, name } });
      return c.json(remote.view(session, principal), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/devices/{deviceId}/remote-sessions/{remoteSessionId}',
      operationId: 'endRemoteSession',
      tags,
      summary: 'Close the device’s own page, with all that is open in it',
      request: { params: SessionParams },
      responses: { 204: { description: 'Closed' }, ...problems(...refusals) },
    }),
    async (c) => {
      const { deviceId, remoteSessionId } = c.req.valid('param');
      const { device, detail } = await remote.end(c.get('scope'), deviceId, remoteSessionId);
      const { id, siteId, name } = device;
      c.set('audit', { siteId, target: { kind: 'device', id, name }, detail });
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/devices/{deviceId}/certificate/forget',
      operationId: 'forgetDeviceCertificate',
      tags,
      summary: 'Trust the certificate that the device shows next',
      description:
        'A box trusts the first certificate of a device and no other. One that was reset has made a new one.',
      request: { params: DeviceParams },
      responses: { 204: { description: 'Forgotten' }, ...problems(...refusals, 'conflict', 'box-unreachable') },
    }),
    async (c) => {
      await remote.forgetCertificate(c.get('scope'), c.req.valid('param').deviceId);
      return c.body(null, 204);
    },
  );
}
