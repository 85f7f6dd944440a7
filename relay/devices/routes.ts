import { createRoute, z } from '@hono/zod-openapi';
import type { Logger } from 'pino';
import { AddDevices, AddingResults, EditDevice } from '../../protocol/wire/adding.ts';
import { AddDevice, Device, DeviceItem, page, SetCredentials } from '../../protocol/wire/api.ts';
import { DiscoveredDevice, DiscoveryList, type SiteDiscoveryMessage } from '../../protocol/wire/box-api.ts';
import { ShownTls } from '../../protocol/wire/device-tls.ts';
import { Serial, Uuid } from '../../protocol/wire/ids.ts';
import { DeviceQuery } from '../../protocol/wire/sites.ts';
import type { Api } from '../api/app.ts';
import type { EventStreams } from '../api/event-stream.ts';
import { body, json, ProblemError, problems } from '../api/problem.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { Scope } from '../auth/scope.ts';
import { SiteParams } from '../sites/routes.ts';
import type { Watching } from '../video/watching.ts';
import type { Adding } from './adding.ts';
import type { BoxClient } from './box-client.ts';
import type { DeviceList } from './device-list.ts';
import type { Devices } from './devices.ts';
import type { SiteDiscovery } from './site-discovery.ts';

const DeviceSchema = Device.meta({ id: 'Device' });
const DevicePage = page(DeviceItem.meta({ id: 'DeviceItem' })).meta({ id: 'DevicePage' });
const DeviceParams = z.object({ deviceId: Uuid });
const Discovery = z
  .object({
    items: z.array(DiscoveredDevice.extend({ boxSerial: Serial })),
    /** Boxes that could not be asked. */
    unreachable: z.array(Serial),
  })
  .meta({ id: 'Discovery' });
const tags = ['Devices'];
const OF_DEVICE = [
  'device-refused-login',
  'device-locked',
  'device-not-activated',
  'device-unreachable',
  'device-certificate-changed',
  'device-error',
  'box-unreachable',
] as const;
const MAX_SNAPSHOT_BYTES = 8 * 1024 * 1024;

export function registerDeviceRoutes(
  app: Api,
  deps: {
    box: BoxClient;
    devices: Devices;
    list: DeviceList;
    adding: Adding;
    remote: RemoteAddress;
    discovery: SiteDiscovery;
    streams: EventStreams;
    log: Logger;
    watching: Pick<Watching, 'locks' | 'viewings'>;
  },
): void {
  const { box, devices, list, adding, discovery, watching } = deps;
  /** Every box of the site that can be asked; one that cannot never hides what the others found. */
  const discover = async (scope: Scope, siteId: string, method: 'GET' | 'POST', path: string) => {
    const answers = await Promise.all(
      (await discovery.boxes(scope, siteId)).map((serial) =>
        box.json(serial, DiscoveryList, method, path, { timeoutMs: 15_000 }).then(
          ({ items }) => ({ serial, items: items.map((item) => ({ ...item, boxSerial: serial })), gone: false }),
          (error) => {
            if (error instanceof ProblemError) return { serial, items: [], gone: true };
            throw error;
          },
        ),
      ),
    );
    return {
      items: answers.flatMap((answer) => answer.items),
      unreachable: answers.filter((answer) => answer.gone).map((answer) => answer.serial),
    };
  };

  app.openapi(
    createRoute({
      method: 'get',
      path: '/devices',
      operationId: 'listAllDevices',
      tags,
      summary: 'Devices of all sites in reach, by site and name; searched and filtered',
      description:
        'Each word of `q` is the beginning of a word of the device or its site, or the beginning or end of a serial. A page may hold fewer devices than asked for: go on while there is a `nextCursor`.',
      request: { query: DeviceQuery },
      responses: { 200: json(DevicePage, 'By site and name'), ...problems() },
    }),
    async (c) => c.json(await list.page(c.get('scope'), c.req.valid('query')), 200),
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/discovery',
      operationId: 'listDiscovered',
      tags,
      summary: 'Devices that the boxes of a site see on their LANs',
      request: { params: SiteParams },
      responses: { 200: json(Discovery, 'Seen devices'), ...problems('not-allowed', 'not-found') },
    }),
    async (c) => c.json(await discover(c.get('scope'), c.req.valid('param').siteId, 'GET', '/v1/discovery'), 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/discovery/scan',
      operationId: 'scanLan',
      tags,
      summary: 'Ask the LANs again; answers after about 2 s',
      request: { params: SiteParams },
      responses: { 200: json(Discovery, 'Seen devices'), ...problems('not-allowed', 'not-found') },
    }),
    async (c) => c.json(await discover(c.get('scope'), c.req.valid('param').siteId, 'POST', '/v1/discovery/scan'), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/discovery/stream',
      operationId: 'streamDiscovered',
      tags,
      summary: 'Devices that the boxes of a site see on their LANs, as server-sent events',
      description:
        '`hello` comes first and after every reconnect, with the serials of the boxes. Then, box by box: `list` with all devices, `changes` with those that came, changed or went, and `away` while a box cannot be asked. Ends with the session, and when the site gets or loses a box.',
      request: { params: SiteParams },
      responses: {
        200: { description: 'A stream', content: { 'text/event-stream': { schema: z.string() } } },
        ...problems('not-allowed', 'account-limited', 'permission-needed', 'not-found', 'too-many-tries'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const boxes = await discovery.boxes(c.get('scope'), siteId);
      return deps.streams.answer<SiteDiscoveryMessage>(c, {
        hello: { event: 'hello', data: { boxes } },
        subscribe: (push) => discovery.follow(boxes, push),
        check: (now) => discovery.check(now, siteId, boxes),
        log: deps.log.child({ siteId }),
      });
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/devices',
      operationId: 'listDevices',
      tags,
      summary: 'Devices of a site',
      request: { params: SiteParams },
      responses: { 200: json(z.object({ items: z.array(DeviceSchema) }), 'Oldest first'), ...problems('not-found') },
    }),
    async (c) => c.json({ items: await devices.list(c.get('scope'), c.req.valid('param').siteId) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/devices',
      operationId: 'addDevice',
      tags,
      summary: 'Add a device',
      description:
        'The box logs in with these credentials once. When the device refuses them nothing is added and nothing is tried again.',
      request: { params: SiteParams, ...body(AddDevice) },
      responses: {
        201: json(DeviceSchema, 'The device'),
        ...problems('not-allowed', 'not-found', 'conflict', 'box-revoked', ...OF_DEVICE),
      },
    }),
    async (c) => c.json(await devices.add(c.get('scope'), c.req.valid('param').siteId, c.req.valid('json')), 201),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/additions',
      operationId: 'addDevices',
      tags,
      summary: 'Add several devices, in whatever way each',
      description:
        'By serial number (`serial`, `qr`; a box by its serial and code), found on the LAN (`lan`), or by address (`ip`, encoding devices of personal sites only: no remote configuration, ARC, cloud storage, offline delay or transfer). One that fails holds up no other; `items` stand in the order asked.',
      request: { params: SiteParams, ...body(AddDevices) },
      responses: {
        201: json(AddingResults.meta({ id: 'AddingResults' }), 'What became of each'),
        ...problems('not-allowed', 'account-limited', 'permission-needed', 'not-found', 'site-status'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const wanted = c.req.valid('json').devices;
      const items = await adding.add(c.get('scope'), siteId, wanted, deps.remote(c.env.incoming));
      const added = items.filter((item) => item.result === 'added');
      c.set('audit', {
        siteId,
        detail: `${added.length} of ${items.length}: ${added.map((item) => item.name).join(', ')}`,
      });
      return c.json({ items }, 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'patch',
      path: '/devices/{deviceId}',
      operationId: 'editDevice',
      tags,
      summary: 'Change the name of a device, or what its clips are recorded for',
      request: { params: DeviceParams, ...body(EditDevice) },
      responses: {
        200: json(DeviceSchema, 'The device'),
        ...problems('not-allowed', 'account-limited', 'permission-needed', 'not-found', 'conflict', 'site-status'),
      },
    }),
    async (c) => c.json(await devices.edit(c.get('scope'), c.req.valid('param').deviceId, c.req.valid('json')), 200),
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/devices/{deviceId}/credentials',
      operationId: 'setDeviceCredentials',
      tags,
      summary: 'Enter user name and password again; the box tries them once',
      request: { params: DeviceParams, ...body(SetCredentials) },
      responses: { 200: json(DeviceSchema, 'The device'), ...problems('not-allowed', 'not-found') },
    }),
    async (c) =>
      c.json(await devices.setCredentials(c.get('scope'), c.req.valid('param').deviceId, c.req.valid('json')), 200),
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/devices/{deviceId}/certificate',
      operationId: 'acceptDeviceCertificate',
      tags,
      summary: 'Accept the certificate that a device shows now',
      description:
        'A device that takes HTTPS gets its login only with the certificate that it was added with. What it shows instead stands in `health.shows`: another certificate, or HTTPS where it took HTTP.',
      request: { params: DeviceParams, ...body(ShownTls) },
      responses: { 200: json(DeviceSchema, 'The device'), ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      const { device, before } = await devices.trust(
        c.get('scope'),
        c.req.valid('param').deviceId,
        c.req.valid('json'),
      );
      const { id, siteId, name, certificate } = device;
      const detail = `${before ?? 'HTTP'} → ${certificate}`;
      c.set('audit', { siteId, target: { kind: 'device', id, name }, detail });
      return c.json(device, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/devices/{deviceId}',
      operationId: 'deleteDevice',
      tags,
      summary: 'Take a device away; its events and clips stay',
      request: { params: DeviceParams },
      responses: { 204: { description: 'Gone' }, ...problems('not-allowed', 'not-found') },
    }),
    async (c) => {
      await devices.remove(c.get('scope'), c.req.valid('param').deviceId);
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/devices/{deviceId}/snapshot',
      operationId: 'takeSnapshot',
      tags,
      summary: 'A picture of now',
      request: {
        params: DeviceParams,
        query: z.object({ channel: z.coerce.number().int().min(1).max(9999).default(1) }),
      },
      responses: {
        200: {
          description: 'JPEG',
          content: { 'image/jpeg': { schema: z.string().meta({ format: 'binary' }) } },
        },
        ...problems('not-found', 'verification-code-needed', ...OF_DEVICE),
      },
    }),
    async (c) => {
      const device = await c.get('scope').device(c.req.valid('param').deviceId, 'live');
      c.set('audit', { always: 'looking' });
      if (!device.boxSerial) throw new ProblemError('box-unreachable', 'This device is not behind a box.');
      const who = c.get('principal');
      await watching.locks.must(who, device.id);
      const { channel } = c.req.valid('query');
      const path = `/v1/devices/${device.id}/snapshot?channel=${channel}`;
      const request = { method: 'GET', path, timeoutMs: 15_000, signal: c.req.raw.signal };
      const jpeg = await box.bytes(device.boxSerial, request, 'image/jpeg', MAX_SNAPSHOT_BYTES);
      const look = await watching.viewings.open({ who, device, channel, kind: 'snapshot', path: 'relay' });
      await look.end();
      return c.body(new Uint8Array(jpeg), 200, { 'content-type': 'image/jpeg' });
    },
  );
}
