import { createRoute, z } from '@hono/zod-openapi';
import { PageQuery } from '../../../protocol/wire/api.ts';
import {
  AcceptArcServices,
  ArcService,
  ArcServiceDone,
  ArcServicePage,
  ArcServiceState,
  ChangeArcAccount,
  ChangeArcConnection,
  ChangeArcEvents,
  RejectArcServices,
  ResumeArcServices,
  SuspendArcServices,
} from '../../../protocol/wire/arc-service.ts';
import { Uuid } from '../../../protocol/wire/ids.ts';
import type { Api } from '../../api/app.ts';
import { body, json, problems } from '../../api/problem.ts';
import type { Scope } from '../../auth/scope.ts';
import type { CentreService, Done } from './centre-service.ts';
import { tags } from './site-routes.ts';

const ServiceSchema = ArcService.meta({ id: 'ArcService' });
const Results = z.object({ items: z.array(ArcServiceDone.meta({ id: 'ArcServiceDone' })) });
const ServiceParams = z.object({ serviceId: Uuid });
const REFUSED = ['not-allowed', 'account-limited'] as const;

const batch = <B extends z.ZodType>(
  word: string,
  operationId: string,
  summary: string,
  schema: B,
  run: (centre: CentreService, scope: Scope, wanted: z.output<B>) => Promise<Done[]>,
) => ({ word, operationId, summary, schema, run });

const BATCHES = [
  batch(
    'accept',
    'acceptArcServices',
    'Accept devices: their alarms come from now on',
    AcceptArcServices,
    (centre, scope, w) => centre.accept(scope, w.services, w.receiverId),
  ),
  batch('reject', 'rejectArcServices', 'Reject devices', RejectArcServices, (centre, scope, w) =>
    centre.reject(scope, w.services, w.note),
  ),
  batch(
    'suspend',
    'suspendArcServices',
    'Suspend devices: no alarms until resumed',
    SuspendArcServices,
    (centre, scope, w) => centre.suspend(scope, w.services, w.note),
  ),
  batch('resume', 'resumeArcServices', 'Resume suspended devices', ResumeArcServices, (centre, scope, w) =>
    centre.resume(scope, w.services),
  ),
  batch(
    'events',
    'changeArcEvents',
    'Ask for other event types of cameras and recorders',
    ChangeArcEvents,
    (centre, scope, w) => centre.changeEvents(scope, w.services, w.events),
  ),
] as const;

/** The centre's side: devices that are entrusted to it. */
export function registerCentreServiceRoutes(app: Api, { centre }: { centre: CentreService }): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc/services',
      operationId: 'listArcServices',
      tags,
      summary: 'Devices that are entrusted to the own centre',
      request: {
        query: PageQuery.extend({
          state: ArcServiceState.optional(),
          search: z.string().trim().max(64).default(''),
        }),
      },
      responses: { 200: json(ArcServicePage, 'Newest first'), ...problems() },
    }),
    async (c) => c.json(await centre.list(c.get('scope'), c.req.valid('query')), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc/services/{serviceId}',
      operationId: 'getArcService',
      tags,
      summary: 'One device that is entrusted to the own centre',
      request: { params: ServiceParams },
      responses: { 200: json(ServiceSchema, 'The device with its service'), ...problems('not-found') },
    }),
    async (c) => c.json(await centre.get(c.get('scope'), c.req.valid('param').serviceId), 200),
  );
  for (const { word, operationId, summary, schema, run } of BATCHES) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `/arc/services/${word}`,
        operationId,
        tags,
        summary,
        description: 'Each has its own result: one that cannot holds up no other.',
        request: body(schema as z.ZodType<{ services: string[] }>),
        responses: { 200: json(Results, 'One a device'), ...problems(...REFUSED) },
      }),
      async (c) => {
        const wanted = c.req.valid('json');
        const items = await run(centre, c.get('scope'), wanted as never);
        const told = items.flatMap(({ device, ...item }) =>
          device ? `${device.name} ${item.done ? 'done' : item.code}` : [],
        );
        const sites = new Set(items.flatMap((item) => item.device?.siteId ?? []));
        c.set('audit', {
          siteId: sites.size === 1 ? [...sites][0] : undefined,
          detail: told.join(', ').slice(0, 512),
        });
        return c.json({ items: items.map(toDone) }, 200);
      },
    );
  }
  app.openapi(
    createRoute({
      method: 'put',
      path: '/arc/services/{serviceId}/account',
      operationId: 'changeArcAccountNumber',
      tags,
      summary: 'Change the account number of a device, at once',
      request: { params: ServiceParams, ...body(ChangeArcAccount) },
      responses: { 200: json(ServiceSchema, 'The device'), ...problems(...REFUSED, 'not-found', 'conflict') },
    }),
    async (c) => {
      const { serviceId } = c.req.valid('param');
      const { account } = c.req.valid('json');
      const { siteId, ...device } = await centre.changeAccount(c.get('scope'), serviceId, account);
      c.set('audit', { siteId, target: { kind: 'device', ...device }, detail: account });
      return c.json(await centre.get(c.get('scope'), serviceId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/arc/services/{serviceId}/connection',
      operationId: 'changeArcConnection',
      tags,
      summary: 'Choose how alarms of a device come: directly with the relay as reserve, or through the relay',
      description: 'Of a panel only while it is disarmed: it is asked. The choice is for all devices of the account.',
      request: { params: ServiceParams, ...body(ChangeArcConnection) },
      responses: {
        200: json(ServiceSchema, 'The device'),
        ...problems(...REFUSED, 'not-found', 'conflict', 'box-unreachable', 'device-error'),
      },
    }),
    async (c) => {
      const { serviceId } = c.req.valid('param');
      const { mode } = c.req.valid('json');
      const { siteId, ...device } = await centre.changeConnection(c.get('scope'), serviceId, mode);
      c.set('audit', { siteId, target: { kind: 'device', ...device }, detail: mode });
      return c.json(await centre.get(c.get('scope'), serviceId), 200);
    },
  );
}

const toDone = ({ serviceId, done, code, text }: Done): ArcServiceDone => ({ serviceId, done, code, text });
