import { createRoute, z } from '@hono/zod-openapi';
import { Uuid } from '../../protocol/wire/ids.ts';
import {
  ListedMessage,
  PulledMessages,
  ReceiverOutput,
  SavedOutput,
  SaveOutput,
  TestOutput,
} from '../../protocol/wire/receiver.ts';
import type { Api } from '../api/app.ts';
import { body, json, ProblemError, problems } from '../api/problem.ts';
import type { OutputAdmin } from './output-admin.ts';
import { MAX_WAIT_S, type Pull } from './pull.ts';

const OutputSchema = ReceiverOutput.meta({ id: 'ReceiverOutput' });
const SavedSchema = SavedOutput.meta({ id: 'SavedReceiverOutput' });
const params = z.object({ outputId: Uuid });
const tags = ['Receiver'];
const Cursor = z
  .string()
  .regex(/^\d{1,15}$/)
  .meta({ example: '17' });

/** How received alarms reach the centre's automation software: outputs, and the pull API. */
export function registerOutputRoutes(app: Api, { outputs, pull }: { outputs: OutputAdmin; pull: Pull }): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc-outputs',
      operationId: 'listArcOutputs',
      tags,
      summary: 'Outputs of the centre, each with its state',
      responses: {
        200: json(z.object({ items: z.array(OutputSchema) }), 'Oldest first'),
        ...problems('not-allowed', 'not-found'),
      },
    }),
    async (c) => c.json({ items: await outputs.list(c.get('scope')) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/arc-outputs',
      operationId: 'createArcOutput',
      tags,
      summary: 'Add an output',
      description:
        'It hands on what is received from now on. The secret of a webhook is in this answer and nowhere else.',
      request: body(SaveOutput),
      responses: { 201: json(SavedSchema, 'The output'), ...problems('not-allowed', 'not-found', 'limit-reached') },
    }),
    async (c) => {
      c.set('secret', true);
      const made = await outputs.add(c.get('scope'), c.req.valid('json'));
      c.set('audit', { target: { kind: 'output', id: made.id, name: made.name }, detail: made.config.kind });
      return c.json(made, 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/arc-outputs/{outputId}',
      operationId: 'updateArcOutput',
      tags,
      summary: 'Change an output; what waits goes the new way',
      request: { params, ...body(SaveOutput) },
      responses: { 200: json(OutputSchema, 'The output'), ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      const { outputId } = c.req.valid('param');
      const saved = await outputs.change(c.get('scope'), outputId, c.req.valid('json'));
      c.set('audit', { target: { kind: 'output', id: outputId, name: saved.name }, detail: saved.config.kind });
      return c.json(saved, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/arc-outputs/{outputId}',
      operationId: 'deleteArcOutput',
      tags,
      summary: 'Remove an output, with what waits for it',
      request: { params },
      responses: { 204: { description: 'Gone' }, ...problems('not-allowed', 'not-found') },
    }),
    async (c) => {
      const { outputId } = c.req.valid('param');
      const name = await outputs.remove(c.get('scope'), outputId);
      c.set('audit', { target: { kind: 'output', id: outputId, name } });
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/arc-outputs/{outputId}/secret',
      operationId: 'renewArcOutputSecret',
      tags,
      summary: 'A new secret for a webhook; the old one is void at once',
      request: { params },
      responses: { 200: json(SavedSchema, 'With the secret'), ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      c.set('secret', true);
      const { outputId } = c.req.valid('param');
      const saved = await outputs.newSecret(c.get('scope'), outputId);
      c.set('audit', { target: { kind: 'output', id: outputId, name: saved.name } });
      return c.json(saved, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/arc-outputs/{outputId}/test',
      operationId: 'testArcOutput',
      tags,
      summary: 'Send a test message (Contact ID 602) to an output',
      description: 'It waits its turn as alarms do; `listReceivedMessages` shows when it was acknowledged.',
      request: { params, ...body(TestOutput) },
      responses: {
        202: json(z.object({ messageId: Uuid }), 'It is on its way'),
        ...problems('not-allowed', 'not-found', 'conflict'),
      },
    }),
    async (c) => {
      const { outputId } = c.req.valid('param');
      const { name, messageId } = await outputs.test(c.get('scope'), outputId, c.req.valid('json').account);
      c.set('audit', { target: { kind: 'output', id: outputId, name } });
      return c.json({ messageId }, 202);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc-outputs/{outputId}/messages',
      operationId: 'pullArcMessages',
      tags,
      summary: 'Messages after the committed cursor, oldest first',
      description:
        'With `wait` the answer comes with the first message, or empty when the time is over. The same messages come again until their cursor is committed; they are kept for a week at least, and `after` reads again from any place in it.',
      request: {
        params,
        query: z.object({
          limit: z.coerce.number().int().min(1).max(500).default(100),
          wait: z.coerce.number().int().min(0).max(MAX_WAIT_S).default(0).meta({ description: 'Seconds' }),
          after: Cursor.optional(),
        }),
      },
      responses: {
        200: json(PulledMessages.meta({ id: 'PulledMessages' }), 'What there is'),
        ...problems('not-allowed', 'not-found', 'conflict'),
      },
    }),
    async (c) => {
      const row = await outputs.row(c.get('scope'), c.req.valid('param').outputId);
      if (row.kind !== 'pull') throw new ProblemError('conflict', 'This output hands messages on by itself.');
      const { limit, wait, after } = c.req.valid('query');
      const { signal } = c.req.raw;
      const found = await pull.read(row, {
        limit,
        waitMs: wait * 1000,
        signal,
        after: after === undefined ? null : Number(after),
      });
      if (!found) throw new ProblemError('too-many-requests', 'Too many requests of this centre wait already.');
      return c.json(found, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/arc-outputs/{outputId}/commit',
      operationId: 'commitArcMessages',
      tags,
      summary: 'Everything up to this cursor is safe',
      request: { params, ...body(z.object({ cursor: Cursor })) },
      responses: { 204: { description: 'Noted' }, ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      const row = await outputs.row(c.get('scope'), c.req.valid('param').outputId);
      if (row.kind !== 'pull') throw new ProblemError('conflict', 'This output hands messages on by itself.');
      if (!(await pull.commit(row, Number(c.req.valid('json').cursor))))
        throw new ProblemError('conflict', 'No message of yours has this cursor.');
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc-received',
      operationId: 'listReceivedMessages',
      tags,
      summary: 'What the receivers of the centre took, newest first, with what became of it at each output',
      request: {
        query: z.object({
          before: z.coerce.number().int().min(0).optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
        }),
      },
      responses: {
        200: json(z.object({ items: z.array(ListedMessage.meta({ id: 'ReceivedMessage' })) }), 'A page'),
        ...problems('not-allowed', 'not-found'),
      },
    }),
    async (c) => {
      const { before = null, limit } = c.req.valid('query');
      return c.json({ items: await outputs.messages(c.get('scope'), { before, limit }) }, 200);
    },
  );
}
