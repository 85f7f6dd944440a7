import { createRoute, z } from '@hono/zod-openapi';
import { ArcReceiver, ReceiverTest, SaveArcReceiver, TestReceiver } from '../../protocol/wire/arc-receiver.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { Receivers } from './receivers.ts';

const ReceiverSchema = ArcReceiver.meta({ id: 'ArcReceiver' });
const ReceiverParams = z.object({ receiverId: Uuid });
const tags = ['Alarm receiving centres'];

/** A centre's own receivers; keys of programs may set them up too. */
export function registerReceiverRoutes(app: Api, { receivers }: { receivers: Receivers }): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc-receivers',
      operationId: 'listArcReceivers',
      tags,
      summary: 'Receivers of the centre, with what they want of accounts; never a key',
      responses: { 200: json(z.object({ items: z.array(ReceiverSchema) }), 'By name'), ...problems('not-allowed') },
    }),
    async (c) => c.json({ items: await receivers.list(c.get('scope')) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/arc-receivers',
      operationId: 'createArcReceiver',
      tags,
      summary: 'Enter a receiver of the centre',
      request: body(SaveArcReceiver),
      responses: { 201: json(ReceiverSchema, 'The receiver'), ...problems('not-allowed', 'conflict') },
    }),
    async (c) => {
      const receiver = await receivers.add(c.get('scope'), c.req.valid('json'));
      c.set('audit', { target: { kind: 'receiver', id: receiver.id, name: receiver.name } });
      return c.json(receiver, 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc-receivers/{receiverId}',
      operationId: 'showArcReceiver',
      tags,
      summary: 'One receiver',
      request: { params: ReceiverParams },
      responses: { 200: json(ReceiverSchema, 'The receiver'), ...problems('not-allowed', 'not-found') },
    }),
    async (c) => c.json(await receivers.get(c.get('scope'), c.req.valid('param').receiverId), 200),
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/arc-receivers/{receiverId}',
      operationId: 'updateArcReceiver',
      tags,
      summary: 'Change a receiver; every account there follows, on every box',
      description: 'Without `key` the one that is set stays; null takes it away, and accounts send in clear.',
      request: { params: ReceiverParams, ...body(SaveArcReceiver) },
      responses: { 200: json(ReceiverSchema, 'The receiver'), ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      const { receiverId } = c.req.valid('param');
      const receiver = await receivers.change(c.get('scope'), receiverId, c.req.valid('json'));
      c.set('audit', { target: { kind: 'receiver', id: receiver.id, name: receiver.name } });
      return c.json(receiver, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/arc-receivers/{receiverId}',
      operationId: 'deleteArcReceiver',
      tags,
      summary: 'Remove a receiver that no account ever used',
      request: { params: ReceiverParams },
      responses: { 204: { description: 'Gone' }, ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      const { receiverId } = c.req.valid('param');
      const name = await receivers.remove(c.get('scope'), receiverId);
      c.set('audit', { target: { kind: 'receiver', id: receiverId, name } });
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/arc-receivers/{receiverId}/test',
      operationId: 'testArcReceiver',
      tags,
      summary: 'Send one message from the relay and say what came back',
      description:
        'Also with a key that is not saved yet. `decrypt-bad`: the CRC of the answer is good and the key does not open it.',
      request: { params: ReceiverParams, ...body(TestReceiver) },
      responses: {
        200: json(ReceiverTest.meta({ id: 'ReceiverTest' }), 'The result'),
        ...problems('not-allowed', 'not-found', 'conflict'),
      },
    }),
    async (c) => {
      const { receiverId } = c.req.valid('param');
      const test = await receivers.test(c.get('scope'), receiverId, c.req.valid('json'));
      c.set('audit', { target: { kind: 'receiver', id: receiverId }, detail: test.result });
      return c.json(test, 200);
    },
  );
}
