import { createRoute, z } from '@hono/zod-openapi';
import {
  ActivateDevices,
  ActivationResult,
  DeviceDefaults,
  KeptPassword,
  Mac,
  SetDeviceDefaults,
} from '../../protocol/wire/activation.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import { SiteParams } from '../sites/routes.ts';
import type { Activations } from './activations.ts';

const tags = ['Activation'];
const MacParams = SiteParams.extend({ mac: Mac });

export function registerActivationRoutes(app: Api, { activations }: { activations: Activations }): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/activations',
      operationId: 'activateDevices',
      tags,
      summary: 'Give devices on the LAN their first password',
      description:
        'Only devices that the box lists as not activated. The password is kept, sealed, before a device gets it; adding the device then needs none.',
      request: { params: SiteParams, ...body(ActivateDevices) },
      responses: {
        200: json(z.object({ items: z.array(ActivationResult.meta({ id: 'ActivationResult' })) }), 'One a device'),
        ...problems('not-allowed', 'permission-needed', 'not-found', 'site-status', 'conflict', 'box-revoked'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const items = await activations.activate(c.get('scope'), siteId, c.req.valid('json'));
      const done = items.filter((item) => item.activated).map((item) => item.mac);
      c.set('audit', { siteId, detail: `${done.length} of ${items.length}: ${done.join(', ')}` });
      return c.json({ items }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/activations',
      operationId: 'listActivations',
      tags,
      summary: 'Devices whose first password is kept',
      request: { params: SiteParams },
      responses: {
        200: json(z.object({ items: z.array(KeptPassword.meta({ id: 'KeptPassword' })) }), 'Oldest first'),
        ...problems('not-allowed', 'permission-needed', 'not-found', 'site-status'),
      },
    }),
    async (c) => c.json({ items: await activations.kept(c.get('scope'), c.req.valid('param').siteId) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/activations/{mac}/reveal',
      operationId: 'revealDevicePassword',
      tags,
      summary: 'Show the first password of a device; it stands in the operation log',
      request: { params: MacParams },
      responses: {
        200: json(z.object({ username: z.string(), password: z.string() }), 'The login'),
        ...problems('not-allowed', 'permission-needed', 'not-found', 'site-status'),
      },
    }),
    async (c) => {
      const { siteId, mac } = c.req.valid('param');
      c.set('secret', true);
      c.set('audit', { siteId, target: { kind: 'device', name: mac } });
      const password = await activations.reveal(c.get('scope'), siteId, mac);
      return c.json({ username: 'admin', password }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/company/device-defaults',
      operationId: 'getDeviceDefaults',
      tags,
      summary: 'Whether there are a default password and a default verification code; they are never shown',
      responses: { 200: json(DeviceDefaults, 'What is set'), ...problems('not-allowed') },
    }),
    async (c) => c.json(await activations.defaults(c.get('scope')), 200),
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/company/device-defaults',
      operationId: 'setDeviceDefaults',
      tags,
      summary: 'Set or forget the default password and the default verification code of new devices',
      request: body(SetDeviceDefaults),
      responses: { 200: json(DeviceDefaults, 'What is set'), ...problems('not-allowed') },
    }),
    async (c) => {
      await activations.setDefaults(c.get('scope'), c.req.valid('json'));
      return c.json(await activations.defaults(c.get('scope')), 200);
    },
  );
}
