import { createRoute, z } from '@hono/zod-openapi';
import {
  Channel,
  CloudChannel,
  CloudChannels,
  CloudService,
  CloudServices,
  CloudSetupStarted,
  EditCloudChannel,
  RenewService,
  StartCloudSetup,
  TransferService,
} from '../../protocol/wire/cloud.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import { SiteParams } from '../sites/routes.ts';
import type { CloudChannelList } from './channels.ts';
import type { CloudServiceBook } from './services.ts';
import type { CloudSetups } from './setups.ts';

const tags = ['Cloud storage'];
const ChannelParams = z.object({ deviceId: Uuid, channel: z.coerce.number().pipe(Channel) });
const ServiceParams = z.object({ serviceId: Uuid });
const ChannelSchema = CloudChannel.meta({ id: 'CloudChannel' });
const ServiceSchema = CloudService.meta({ id: 'CloudService' });
const LOOKING = ['not-allowed', 'account-limited', 'permission-needed', 'not-found'] as const;
const WORKING = [...LOOKING, 'site-status', 'conflict', 'limit-reached'] as const;

/** Cloud storage: what is recorded of a site's channels, the services that pay it, and setting it up. */
export function registerCloudRoutes(
  app: Api,
  { channels, services, setups }: { channels: CloudChannelList; services: CloudServiceBook; setups: CloudSetups },
): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/cloud',
      operationId: 'listCloudChannels',
      tags,
      summary: 'Channels of a site that have cloud storage, the service of each, and what its devices have room for',
      request: { params: SiteParams },
      responses: { 200: json(CloudChannels.meta({ id: 'CloudChannels' }), 'By device'), ...problems(...LOOKING) },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      return c.json(await channels.list(c.get('scope'), siteId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/cloud/setups',
      operationId: 'setUpCloudStorage',
      tags,
      summary: 'Have a box set up channels for cloud storage, as a job',
      description:
        'Devices are linked first: one of the box’s LAN that is not added yet is, and a wrong password is refused for that device alone. Then the box works through its steps by itself and the service of each channel is activated at their end, whether somebody looks or not. `GET /sites/{siteId}/jobs/{jobId}` tells how far it is.',
      request: { params: SiteParams, ...body(StartCloudSetup) },
      responses: {
        201: json(CloudSetupStarted.meta({ id: 'CloudSetupStarted' }), 'The job, and devices that were left out'),
        ...problems(...WORKING, 'box-unreachable', 'device-error', 'storage-full'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const wanted = c.req.valid('json');
      const count = wanted.devices.reduce((sum, one) => sum + one.channels.length, 0);
      c.set('audit', {
        siteId,
        target: { kind: 'box', id: wanted.boxSerial, name: wanted.boxSerial },
        detail: `${wanted.devices.length} / ${count}`,
      });
      return c.json(await setups.begin(c.get('scope'), siteId, wanted), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/devices/{deviceId}/channels/{channel}/cloud',
      operationId: 'getCloudChannel',
      tags,
      summary: 'What is recorded of a channel, and the service that pays it',
      request: { params: ChannelParams },
      responses: { 200: json(ChannelSchema, 'As it is now'), ...problems(...LOOKING) },
    }),
    async (c) => {
      const { deviceId, channel } = c.req.valid('param');
      return c.json(await channels.get(c.get('scope'), deviceId, channel), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'patch',
      path: '/devices/{deviceId}/channels/{channel}/cloud',
      operationId: 'editCloudChannel',
      tags,
      summary: 'Switch the cloud storage of a channel, or change what is recorded',
      request: { params: ChannelParams, ...body(EditCloudChannel) },
      responses: { 200: json(ChannelSchema, 'As it is now'), ...problems(...LOOKING, 'conflict') },
    }),
    async (c) => {
      const { deviceId, channel } = c.req.valid('param');
      const set = c.req.valid('json');
      const changed = await channels.edit(c.get('scope'), deviceId, channel, set);
      const { siteId, deviceName: name } = changed;
      const detail = [`${channel}:`, ...Object.entries(set).map(([key, value]) => `${key} ${value}`)].join(' ');
      c.set('audit', { siteId, target: { kind: 'device', id: deviceId, name }, detail });
      return c.json(changed, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/cloud/services',
      operationId: 'listCloudServices',
      tags,
      summary: 'Services that the company paid, the first to end first, and the packages that it has',
      responses: { 200: json(CloudServices.meta({ id: 'CloudServices' }), 'In reach'), ...problems('not-allowed') },
    }),
    async (c) => c.json(await services.list(c.get('scope')), 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/cloud/services/{serviceId}/renew',
      operationId: 'renewCloudService',
      tags,
      summary: 'Let a service last a month or a year longer; it uses a package of the same retention',
      request: { params: ServiceParams, ...body(RenewService) },
      responses: { 200: json(ServiceSchema, 'With its new end'), ...problems(...WORKING) },
    }),
    async (c) => {
      const { term } = c.req.valid('json');
      const service = await services.renew(c.get('scope'), c.req.valid('param').serviceId, term);
      c.set('audit', entry(service, `${service.channel}: ${term}, ${service.until}`));
      return c.json(service, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/cloud/services/{serviceId}/transfer',
      operationId: 'transferCloudService',
      tags,
      summary: 'Hand the time that is left of a service to another channel',
      request: { params: ServiceParams, ...body(TransferService) },
      responses: { 200: json(ServiceSchema, 'The service of the other channel'), ...problems(...WORKING) },
    }),
    async (c) => {
      const { serviceId } = c.req.valid('param');
      const service = await services.transfer(c.get('scope'), serviceId, c.req.valid('json'));
      c.set('audit', entry(service, `${service.channel}: ${service.until}`));
      return c.json(service, 200);
    },
  );
}

const entry = ({ siteId, deviceId: id, deviceName: name }: CloudService, detail: string) => ({
  siteId,
  detail,
  target: { kind: 'device', id, name } as const,
});
