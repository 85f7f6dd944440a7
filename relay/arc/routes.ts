import { createRoute, z } from '@hono/zod-openapi';
import {
  Alarm,
  ArcAccount,
  CreateArcAccount,
  CreateReceiver,
  PageQuery,
  page,
  Receiver,
} from '../../protocol/wire/api.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import { SiteParams } from '../sites/routes.ts';
import type { ArcAccounts } from './accounts.ts';
import type { Alarms } from './alarms.ts';

const AlarmSchema = Alarm.meta({ id: 'Alarm' });
const ReceiverSchema = Receiver.meta({ id: 'Receiver' });
const AccountSchema = ArcAccount.meta({ id: 'ArcAccount' });
const ReceiverParams = z.object({ receiverId: Uuid });
const AccountParams = z.object({ accountId: Uuid });
const tags = ['Alarm receiving centre'];

export function registerArcRoutes(app: Api, { accounts, alarms }: { accounts: ArcAccounts; alarms: Alarms }): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/alarms',
      operationId: 'listAlarms',
      tags,
      summary: 'Messages to alarm receiving centres, newest first, each with its path, tries and times',
      request: { params: SiteParams, query: PageQuery },
      responses: { 200: json(page(AlarmSchema), 'A page'), ...problems('not-found') },
    }),
    async (c) => c.json(await alarms.list(c.get('scope'), c.req.valid('param').siteId, c.req.valid('query')), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/receivers',
      operationId: 'listReceivers',
      tags,
      summary: 'Receivers that the company has entered',
      responses: { 200: json(z.object({ items: z.array(ReceiverSchema) }), 'By name'), ...problems() },
    }),
    async (c) => c.json({ items: await accounts.receivers(c.get('scope')) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/receivers',
      operationId: 'createReceiver',
      tags,
      summary: 'Enter a receiver: where boxes reach it, and where the relay does',
      request: body(CreateReceiver),
      responses: { 201: json(ReceiverSchema, 'The receiver'), ...problems('not-allowed', 'conflict') },
    }),
    async (c) => {
      c.get('scope').must('manage-all-sites');
      return c.json(await accounts.addReceiver(c.get('scope'), c.req.valid('json')), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/receivers/{receiverId}',
      operationId: 'updateReceiver',
      tags,
      summary: 'Change a receiver; every box with an account there follows',
      request: { params: ReceiverParams, ...body(CreateReceiver) },
      responses: { 200: json(ReceiverSchema, 'The receiver'), ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      c.get('scope').must('manage-all-sites');
      const { receiverId } = c.req.valid('param');
      return c.json(await accounts.changeReceiver(c.get('scope'), receiverId, c.req.valid('json')), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/arc',
      operationId: 'listArcAccounts',
      tags,
      summary: 'Accounts of a site at receivers, with the path each uses now',
      request: { params: SiteParams },
      responses: { 200: json(z.object({ items: z.array(AccountSchema) }), 'Oldest first'), ...problems('not-found') },
    }),
    async (c) => c.json({ items: await accounts.accounts(c.get('scope'), c.req.valid('param').siteId) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/arc',
      operationId: 'createArcAccount',
      tags,
      summary: 'Let a box send its alarms to a receiver',
      description:
        'A channel without a line in `zones` is sent with its own number as zone. The key is sealed to the box at once; the relay cannot read it, and nothing gives it back.',
      request: { params: SiteParams, ...body(CreateArcAccount) },
      responses: {
        201: json(AccountSchema, 'The account'),
        ...problems('not-allowed', 'not-found', 'conflict', 'box-revoked'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      return c.json(await accounts.addAccount(c.get('scope'), siteId, c.req.valid('json')), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/arc/{accountId}',
      operationId: 'updateArcAccount',
      tags,
      summary: 'Change an account',
      description:
        'Without a key (null) the key that is set stays. To send in clear again, remove the account and add it.',
      request: { params: AccountParams, ...body(CreateArcAccount) },
      responses: {
        200: json(AccountSchema, 'The account'),
        ...problems('not-allowed', 'not-found', 'conflict', 'box-revoked'),
      },
    }),
    async (c) => {
      const { accountId } = c.req.valid('param');
      return c.json(await accounts.changeAccount(c.get('scope'), accountId, c.req.valid('json')), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/arc/{accountId}',
      operationId: 'deleteArcAccount',
      tags,
      summary: 'Remove an account; its alarms stay listed',
      request: { params: AccountParams },
      responses: { 204: { description: 'Gone' }, ...problems('not-allowed', 'not-found') },
    }),
    async (c) => {
      await accounts.removeAccount(c.get('scope'), c.req.valid('param').accountId);
      return c.body(null, 204);
    },
  );
}
