import { createRoute, z } from '@hono/zod-openapi';
import { Uuid } from '../../protocol/wire/ids.ts';
import { ArmDevices, ArmedDevice, LinkedCamera, RadarCamera } from '../../protocol/wire/panels.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { BoxClient } from '../devices/box-client.ts';
import { SiteParams } from '../sites/routes.ts';
import { armDevices } from './arming.ts';
import type { RadarCameras } from './radar-cameras.ts';

const tags = ['Panels and radars'];
const DeviceParams = z.object({ deviceId: Uuid });
const REFUSED = ['not-allowed', 'account-limited', 'permission-needed', 'not-found'] as const;

/** What is done with several panels at once, and radars' cameras. */
export function registerPanelRoutes(app: Api, { box, radars }: { box: BoxClient; radars: RadarCameras }): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/arming',
      operationId: 'armDevices',
      tags,
      summary: 'Arm or disarm several alarm devices of a site',
      description: 'Each has its own result: one that is open or away holds up no other.',
      request: { params: SiteParams, ...body(ArmDevices) },
      responses: {
        200: json(z.object({ items: z.array(ArmedDevice.meta({ id: 'ArmedDevice' })) }), 'One a device'),
        ...problems(...REFUSED, 'invalid-request'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const wanted = c.req.valid('json');
      const items = await armDevices(box, c.get('scope'), siteId, wanted);
      const told = items.map((item) => `${item.name} ${item.done ? 'done' : (item.code ?? '')}`).join(', ');
      c.set('audit', { siteId, detail: `${wanted.arm}, area ${wanted.area}: ${told}`.slice(0, 512) });
      return c.json({ items }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/devices/{deviceId}/linked-camera',
      operationId: 'getLinkedCamera',
      tags,
      summary: 'The camera that is linked to a radar',
      request: { params: DeviceParams },
      responses: {
        200: json(LinkedCamera.meta({ id: 'LinkedCamera' }), 'Null: none'),
        ...problems(...REFUSED, 'conflict'),
      },
    }),
    async (c) => c.json(await radars.of(c.get('scope'), c.req.valid('param').deviceId), 200),
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/devices/{deviceId}/linked-camera',
      operationId: 'linkCamera',
      tags,
      summary: 'Link a camera of the same site to a radar, in place of the one before',
      request: { params: DeviceParams, ...body(RadarCamera) },
      responses: { 204: { description: 'Linked' }, ...problems(...REFUSED, 'invalid-request', 'conflict') },
    }),
    async (c) => {
      const wanted = c.req.valid('json');
      const radar = await radars.link(c.get('scope'), c.req.valid('param').deviceId, wanted);
      const target = { kind: 'device' as const, id: radar.id, name: radar.name };
      c.set('audit', { siteId: radar.siteId, target, detail: `${wanted.cameraId}, channel ${wanted.channel}` });
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/devices/{deviceId}/linked-camera',
      operationId: 'unlinkCamera',
      tags,
      summary: 'Unlink the camera of a radar',
      request: { params: DeviceParams },
      responses: { 204: { description: 'Unlinked' }, ...problems(...REFUSED, 'conflict') },
    }),
    async (c) => {
      const radar = await radars.unlink(c.get('scope'), c.req.valid('param').deviceId);
      c.set('audit', { siteId: radar.siteId, target: { kind: 'device', id: radar.id, name: radar.name } });
      return c.body(null, 204);
    },
  );
}
