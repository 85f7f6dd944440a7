import { createRoute, z } from '@hono/zod-openapi';
import { Device } from '../../protocol/wire/api.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import { AddAlarmPanel, AlarmPanel, EditAlarmPanel } from '../../protocol/wire/panels.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import { SiteParams } from '../sites/routes.ts';
import type { AlarmPanels } from './alarm-panels.ts';

const tags = ['Panels and radars'];
const DeviceParams = z.object({ deviceId: Uuid });
const REFUSED = ['not-allowed', 'account-limited', 'permission-needed', 'not-found', 'conflict'] as const;

/** Alarm panels of any maker that send DC-09 to a box. */
export function registerAlarmPanelRoutes(app: Api, { panels }: { panels: AlarmPanels }): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/alarm-panels',
      operationId: 'addAlarmPanel',
      tags,
      summary: 'Add an alarm panel that sends DC-09 to a box',
      description:
        'The box takes SIA-DCS and ADM-CID over TCP and UDP, in clear or with AES, and acknowledges what it has on disk.',
      request: { params: SiteParams, ...body(AddAlarmPanel) },
      responses: {
        201: json(Device.meta({ id: 'Device' }), 'The panel, as a device'),
        ...problems(...REFUSED, 'invalid-request', 'box-revoked', 'limit-reached', 'site-status'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const device = await panels.add(c.get('scope'), siteId, c.req.valid('json'));
      const target = { kind: 'device' as const, id: device.id, name: device.name };
      c.set('audit', { siteId, target, detail: `account ${device.username}` });
      return c.json(device, 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/devices/{deviceId}/alarm-panel',
      operationId: 'getAlarmPanel',
      tags,
      summary: 'How an alarm panel sends to its box, and what to enter in it',
      request: { params: DeviceParams },
      responses: { 200: json(AlarmPanel.meta({ id: 'AlarmPanel' }), 'The panel'), ...problems(...REFUSED) },
    }),
    async (c) => c.json(await panels.get(c.get('scope'), c.req.valid('param').deviceId), 200),
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/devices/{deviceId}/alarm-panel',
      operationId: 'editAlarmPanel',
      tags,
      summary: 'Change account number, key, clock or supervision of an alarm panel',
      request: { params: DeviceParams, ...body(EditAlarmPanel) },
      responses: {
        204: { description: 'Changed' },
        ...problems(...REFUSED, 'invalid-request', 'site-status'),
      },
    }),
    async (c) => {
      const wanted = c.req.valid('json');
      const device = await panels.edit(c.get('scope'), c.req.valid('param').deviceId, wanted);
      const target = { kind: 'device' as const, id: device.id, name: device.name };
      const key = wanted.key === undefined ? '' : ', key';
      c.set('audit', { siteId: device.siteId, target, detail: `account ${wanted.account}${key}` });
      return c.body(null, 204);
    },
  );
}
