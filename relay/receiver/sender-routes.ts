import { createRoute, z } from '@hono/zod-openapi';
import { Uuid } from '../../protocol/wire/ids.ts';
import { HostedPort, ReceiverSender, SaveSender } from '../../protocol/wire/receiver.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { HostedReceivers } from './hosted.ts';

const SenderSchema = ReceiverSender.meta({ id: 'ReceiverSender' });
const params = z.object({ senderId: Uuid });
const tags = ['Receiver'];

/** Devices that send DC-09 to the centre's receivers on this relay by themselves. */
export function registerSenderRoutes(app: Api, { hosted }: { hosted: HostedReceivers }): void {
  const { senders } = hosted;
  const changed = () => hosted.centre.supervision.reload();
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc-senders',
      operationId: 'listArcSenders',
      tags,
      summary: 'Devices that send to the centre’s receivers here, and the ports of these',
      responses: {
        200: json(
          z.object({
            items: z.array(SenderSchema),
            receivers: z.array(HostedPort.meta({ id: 'HostedReceiverPort' })),
            host: z.string().nullable(),
          }),
          'By account',
        ),
        ...problems('not-allowed', 'not-found'),
      },
    }),
    async (c) => {
      const scope = c.get('scope');
      const items = await senders.list(scope, (...of) => hosted.heard(...of));
      const receivers = await hosted.ports(scope);
      return c.json({ items, receivers, host: hosted.host }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/arc-senders',
      operationId: 'createArcSender',
      tags,
      summary: 'Let a device send to a receiver here',
      request: body(SaveSender),
      responses: {
        201: json(SenderSchema, 'The sender'),
        ...problems('not-allowed', 'not-found', 'conflict', 'limit-reached'),
      },
    }),
    async (c) => {
      const made = await senders.add(c.get('scope'), c.req.valid('json'));
      await changed();
      c.set('audit', { target: { kind: 'sender', id: made.id, name: made.name }, detail: made.account });
      return c.json(made, 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/arc-senders/{senderId}',
      operationId: 'updateArcSender',
      tags,
      summary: 'Change a sender',
      description: 'Without a key (null) the one that is set stays. To send in clear again, remove it and add it.',
      request: { params, ...body(SaveSender) },
      responses: { 200: json(SenderSchema, 'The sender'), ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      const { senderId } = c.req.valid('param');
      const saved = await senders.change(c.get('scope'), senderId, c.req.valid('json'));
      await changed();
      c.set('audit', { target: { kind: 'sender', id: senderId, name: saved.name }, detail: saved.account });
      return c.json(saved, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/arc-senders/{senderId}',
      operationId: 'deleteArcSender',
      tags,
      summary: 'Take a sender away: nothing of it is taken any more',
      request: { params },
      responses: { 204: { description: 'Gone' }, ...problems('not-allowed', 'not-found') },
    }),
    async (c) => {
      const { senderId } = c.req.valid('param');
      const { name, account } = await senders.remove(c.get('scope'), senderId);
      await changed();
      c.set('audit', { target: { kind: 'sender', id: senderId, name }, detail: account });
      return c.body(null, 204);
    },
  );
}
