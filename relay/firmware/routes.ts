import { createRoute, z } from '@hono/zod-openapi';
import {
  DeviceUpgrade,
  FirmwarePackage,
  NewFirmware,
  NewPackage,
  PackageUpload,
  StartUpgrades,
  UpgradesStarted,
} from '../../protocol/wire/firmware.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import type { Api } from '../api/app.ts';
import { body, json, ProblemError, problems } from '../api/problem.ts';
import { type ObjectStore, packageKey } from '../clips/object-store.ts';
import { SiteParams } from '../sites/routes.ts';
import type { Catalogue } from './catalogue.ts';
import type { SiteUpgrades } from './upgrades.ts';
import { stream } from './upload-routes.ts';

const tags = ['Firmware'];
const FirmwareParams = z.object({ firmwareId: Uuid });
const DeviceParams = z.object({ deviceId: Uuid });
const Package = FirmwarePackage.meta({ id: 'FirmwarePackage' });
const Upload = PackageUpload.extend({ package: Package }).meta({ id: 'PackageUpload' });
const REFUSED = ['not-allowed', 'account-limited', 'permission-needed', 'not-found'] as const;

export function registerFirmwareRoutes(
  app: Api,
  { catalogue, upgrades, store }: { catalogue: Catalogue; upgrades: SiteUpgrades; store: ObjectStore },
): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/operator/firmware',
      operationId: 'listFirmware',
      tags,
      summary: 'Packages of firmware for everybody',
      responses: { 200: json(z.object({ items: z.array(Package) }), 'Newest first'), ...problems('not-found') },
    }),
    async (c) => c.json({ items: await catalogue.list() }, 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/operator/firmware',
      operationId: 'addFirmware',
      tags,
      summary: 'Begin to upload a package for everybody',
      description:
        'The ZIP then goes to `url` by PUT, once, within an hour. Names: `{name}_V{version}_{date}.zip`, `…_Build_{date}.zip`, `…_build{date}.zip`.',
      request: body(NewFirmware),
      responses: { 201: json(Upload, 'Where to send it'), ...problems('not-found', 'limit-reached') },
    }),
    async (c) => {
      c.set('secret', true);
      const made = await catalogue.add(c.get('scope'), c.req.valid('json'));
      c.set('audit', { target: { kind: 'firmware', id: made.package.id, name: made.package.fileName } });
      return c.json(made, 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/operator/firmware/{firmwareId}',
      operationId: 'deleteFirmware',
      tags,
      summary: 'Take a package away; what is being installed from it at the moment may fail',
      request: { params: FirmwareParams },
      responses: { 204: { description: 'Gone' }, ...problems('not-found') },
    }),
    async (c) => {
      const { id, fileName } = await catalogue.removeCommon(c.req.valid('param').firmwareId);
      c.set('audit', { target: { kind: 'firmware', id, name: fileName } });
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/firmware/{firmwareId}/package',
      operationId: 'downloadFirmware',
      tags,
      summary: 'The package as it was uploaded, for installing it on a device’s own page',
      request: { params: FirmwareParams },
      responses: {
        200: {
          description: 'ZIP',
          content: { 'application/zip': { schema: z.string().meta({ format: 'binary' }) } },
        },
        ...problems('not-allowed', 'account-limited', 'not-found'),
      },
    }),
    async (c) => {
      const scope = c.get('scope');
      scope.must('configure-devices', 'manage-devices');
      const row = await catalogue.get(scope.companyId, c.req.valid('param').firmwareId);
      if (row.state !== 'ready') throw new ProblemError('not-found');
      const size = Number(row.size);
      return c.body(stream(store.read(packageKey(row.id), 0, size - 1)), 200, {
        'content-type': 'application/zip',
        'content-length': String(size),
        'content-disposition': `attachment; filename="${row.fileName.replace(/[^\w.-]/g, '_')}"`,
      });
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/upgrades',
      operationId: 'listUpgrades',
      tags,
      summary: 'Devices of a site, their firmware, and what there is for them',
      request: { params: SiteParams },
      responses: {
        200: json(z.object({ items: z.array(DeviceUpgrade.meta({ id: 'DeviceUpgrade' })) }), 'Oldest device first'),
        ...problems('not-found'),
      },
    }),
    async (c) => c.json({ items: await upgrades.list(c.get('scope'), c.req.valid('param').siteId) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/upgrades',
      operationId: 'startUpgrades',
      tags,
      summary: 'Upgrade devices; once begun, an upgrade cannot be stopped',
      description: 'One job a box, whose progress is under `/sites/{siteId}/jobs`.',
      request: { params: SiteParams, ...body(StartUpgrades) },
      responses: {
        200: json(UpgradesStarted.meta({ id: 'UpgradesStarted' }), 'What was begun, and what was not'),
        ...problems(...REFUSED, 'site-status'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const wanted = c.req.valid('json');
      const started = await upgrades.start(c.get('scope'), siteId, wanted);
      const begun = wanted.items.length - started.refused.length;
      c.set('audit', { siteId, detail: `${begun} of ${wanted.items.length}` });
      return c.json(started, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/devices/{deviceId}/firmware',
      operationId: 'bringFirmware',
      tags,
      summary: 'Begin to upload a package for one device',
      description: 'The ZIP then goes to `url` by PUT, once, within an hour. It takes the place of an earlier one.',
      request: { params: DeviceParams, ...body(NewPackage) },
      responses: { 201: json(Upload, 'Where to send it'), ...problems(...REFUSED, 'conflict', 'limit-reached') },
    }),
    async (c) => {
      c.set('secret', true);
      const scope = c.get('scope');
      const device = await scope.device(c.req.valid('param').deviceId, 'configure');
      const made = await catalogue.bring(scope, device, c.req.valid('json'));
      const target = { kind: 'device', id: device.id, name: device.name };
      c.set('audit', { siteId: device.siteId, target, detail: made.package.fileName });
      return c.json(made, 201);
    },
  );
}
