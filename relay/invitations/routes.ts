import { createRoute, z } from '@hono/zod-openapi';
import { PageQuery, page } from '../../protocol/wire/api.ts';
import { CreateDeviceInvitation, DeviceInvitation } from '../../protocol/wire/device-invitation.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { DeviceInvitations } from './invitations.ts';

const Schema = DeviceInvitation.meta({ id: 'DeviceInvitation' });
const Id = z.object({ deviceInvitationId: Uuid });
const tags = ['Device invitations'];

export function registerInvitationRoutes(app: Api, { invitations }: { invitations: DeviceInvitations }): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/device-invitations',
      operationId: 'listDeviceInvitations',
      tags,
      summary: 'Invitations to devices: sent by a customer, received by an installer',
      request: { query: PageQuery },
      responses: { 200: json(page(Schema), 'Newest first'), ...problems() },
    }),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      return c.json(await invitations.list(c.get('scope'), limit, cursor), 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/device-invitations',
      operationId: 'inviteInstaller',
      tags,
      summary: 'Give an installer a device to configure and operate',
      description: 'By its owner. The installer has three days to accept; no password is told.',
      request: body(CreateDeviceInvitation),
      responses: {
        201: json(Schema, 'The invitation'),
        ...problems('not-found', 'not-allowed', 'cannot-be-invited', 'conflict', 'outbox-full'),
      },
    }),
    async (c) => {
      const made = await invitations.send(c.get('scope'), c.req.valid('json'));
      c.set('audit', { siteId: made.siteId, target: { kind: 'device', id: made.deviceId, name: made.deviceName } });
      return c.json(made, 201);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/device-invitations/{deviceInvitationId}',
      operationId: 'getDeviceInvitation',
      tags,
      summary: 'One invitation',
      request: { params: Id },
      responses: { 200: json(Schema, 'The invitation'), ...problems('not-found') },
    }),
    async (c) => c.json(await invitations.get(c.get('scope'), c.req.valid('param').deviceInvitationId), 200),
  );

  const steps = {
    accept: ['Accept: the device appears at the site named', (scope, id) => invitations.answer(scope, id, true)],
    decline: ['Decline', (scope, id) => invitations.answer(scope, id, false)],
    withdraw: ['Withdraw it, or end what came of it', (scope, id) => invitations.withdraw(scope, id)],
  } satisfies Record<
    string,
    [string, (scope: Parameters<DeviceInvitations['get']>[0], id: string) => Promise<DeviceInvitation>]
  >;
  for (const [word, [summary, run]] of Object.entries(steps)) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `/device-invitations/{deviceInvitationId}/${word}`,
        tags,
        operationId: `${word}DeviceInvitation`,
        summary,
        request: { params: Id },
        responses: {
          200: json(Schema, 'The invitation'),
          ...problems('not-found', 'not-allowed', 'account-limited', 'link-invalid', 'conflict'),
        },
      }),
      async (c) => {
        const done = await run(c.get('scope'), c.req.valid('param').deviceInvitationId);
        c.set('audit', { siteId: done.siteId, target: { kind: 'device', id: done.deviceId, name: done.deviceName } });
        return c.json(done, 200);
      },
    );
  }
}
