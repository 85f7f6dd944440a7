import { createRoute, z } from '@hono/zod-openapi';
import { Uuid } from '../../protocol/wire/ids.ts';
import {
  ActionDone,
  DeviceAction,
  DeviceCapabilities,
  DeviceListing,
  ListName,
  permissionFor,
  Section,
  Settings,
  SettingsChange,
  SettingsWritten,
  Target,
} from '../../protocol/wire/operations.ts';
import type { Api } from '../api/app.ts';
import { body, json, ProblemError, problems } from '../api/problem.ts';
import type { DeviceRow } from '../db/schema.ts';
import type { BoxClient } from '../devices/box-client.ts';

const tags = ['Operations'];
const DeviceParams = z.object({ deviceId: Uuid });
const OF_DEVICE = [
  'device-refused-login',
  'device-locked',
  'device-not-activated',
  'device-unreachable',
  'device-certificate-changed',
  'device-error',
  'box-unreachable',
] as const;
const REFUSED = ['not-allowed', 'account-limited', 'permission-needed', 'not-found', 'conflict'] as const;
/** A device that is asked for the first time tells its capabilities one after the other. */
const READ_TIMEOUT_MS = 30_000;
/** Changing a codec or moving an address takes some devices long. */
const WRITE_TIMEOUT_MS = 60_000;

/** A section of the settings of a channel, as its device just told it. */
export interface SectionSeen {
  deviceId: string;
  channel: number;
  section: Section;
  fields: Settings['fields'];
}

/** Operating a device through its box (protocol/wire/operations.ts). */
export function registerOperationRoutes(
  app: Api,
  { box, sectionSeen }: { box: BoxClient; sectionSeen: (of: SectionSeen) => Promise<void> },
): void {
  const behind = (device: DeviceRow): string => {
    if (device.boxSerial) return device.boxSerial;
    throw new ProblemError('conflict', 'This device was added by its address: it is not operated from here.');
  };
  const at = (device: DeviceRow, rest: string, target: Target = {}) => {
    const query = new URLSearchParams(Object.entries(target).map(([k, v]) => [k, String(v)])).toString();
    return `/v1/devices/${device.id}/${rest}${query && `?${query}`}`;
  };

  const seen = (deviceId: string, section: Section, { channel = 1 }: Target, { fields }: Settings) =>
    sectionSeen({ deviceId, channel, section, fields });

  app.openapi(
    createRoute({
      method: 'get',
      path: '/devices/{deviceId}/capabilities',
      operationId: 'getDeviceCapabilities',
      tags,
      summary: 'What a device can do, and what of it takes part in linkages',
      request: { params: DeviceParams },
      responses: {
        200: json(DeviceCapabilities.meta({ id: 'DeviceCapabilities' }), 'As the device says'),
        ...problems(...REFUSED, ...OF_DEVICE),
      },
    }),
    async (c) => {
      const device = await c.get('scope').device(c.req.valid('param').deviceId, 'view');
      const options = { timeoutMs: READ_TIMEOUT_MS, signal: c.req.raw.signal };
      return c.json(
        await box.json(behind(device), DeviceCapabilities, 'GET', at(device, 'capabilities'), options),
        200,
      );
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/devices/{deviceId}/settings/{section}',
      operationId: 'getDeviceSettings',
      tags,
      summary: 'Settings of a device, with what each may be',
      request: { params: DeviceParams.extend({ section: Section }), query: Target },
      responses: {
        200: json(Settings.meta({ id: 'DeviceSettings' }), 'Now'),
        ...problems(...REFUSED, 'invalid-request', ...OF_DEVICE),
      },
    }),
    async (c) => {
      const { deviceId, section } = c.req.valid('param');
      const device = await c.get('scope').device(deviceId, 'configure');
      const path = at(device, `settings/${section}`, c.req.valid('query'));
      const options = { timeoutMs: READ_TIMEOUT_MS, signal: c.req.raw.signal };
      const read = await box.json(behind(device), Settings, 'GET', path, options);
      await seen(deviceId, section, c.req.valid('query'), read);
      return c.json(read, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/devices/{deviceId}/settings/{section}',
      operationId: 'changeDeviceSettings',
      tags,
      summary: 'Change settings of a device',
      description:
        'Only what is to change. They are read back: `notKept` lists what the device took without keeping it.',
      request: { params: DeviceParams.extend({ section: Section }), query: Target, ...body(SettingsChange) },
      responses: {
        200: json(SettingsWritten.meta({ id: 'DeviceSettingsWritten' }), 'As read back'),
        ...problems(...REFUSED, 'invalid-request', ...OF_DEVICE),
      },
    }),
    async (c) => {
      const { deviceId, section } = c.req.valid('param');
      const device = await c.get('scope').device(deviceId, 'configure');
      const target = c.req.valid('query');
      const { set } = c.req.valid('json');
      const what = `${section}${target.channel ? ` of channel ${target.channel}` : ''}: ${Object.keys(set).join(', ')}`;
      c.set('audit', {
        siteId: device.siteId,
        target: { kind: 'device', id: device.id, name: device.name },
        detail: what,
      });
      const written = await box.json(
        behind(device),
        SettingsWritten,
        'PUT',
        at(device, `settings/${section}`, target),
        {
          body: { set },
          timeoutMs: WRITE_TIMEOUT_MS,
        },
      );
      await seen(deviceId, section, target, written);
      return c.json(written, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/devices/{deviceId}/lists/{list}',
      operationId: 'getDeviceList',
      tags,
      summary: 'What a device has of something: presets, disks, doors, zones, …',
      request: { params: DeviceParams.extend({ list: ListName }), query: Target },
      responses: {
        200: json(DeviceListing.meta({ id: 'DeviceListing' }), 'Now'),
        ...problems(...REFUSED, 'invalid-request', ...OF_DEVICE),
      },
    }),
    async (c) => {
      const { deviceId, list } = c.req.valid('param');
      const device = await c.get('scope').device(deviceId, permissionFor(list));
      const path = at(device, `lists/${list}`, c.req.valid('query'));
      const options = { timeoutMs: READ_TIMEOUT_MS, signal: c.req.raw.signal };
      return c.json(await box.json(behind(device), DeviceListing, 'GET', path, options), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/devices/{deviceId}/actions',
      operationId: 'operateDevice',
      tags,
      summary: 'Do something with a device at once',
      request: { params: DeviceParams, ...body(DeviceAction) },
      responses: {
        200: json(ActionDone.meta({ id: 'DeviceActionDone' }), 'Done, or taken'),
        ...problems(...REFUSED, 'invalid-request', ...OF_DEVICE),
      },
    }),
    async (c) => {
      const action = c.req.valid('json');
      const device = await c.get('scope').device(c.req.valid('param').deviceId, permissionFor(action.action));
      c.set('audit', {
        siteId: device.siteId,
        target: { kind: 'device', id: device.id, name: device.name },
        detail: told(action),
      });
      const done = await box.json(behind(device), ActionDone, 'POST', at(device, 'actions'), {
        body: action,
        timeoutMs: WRITE_TIMEOUT_MS,
      });
      return c.json(done, 200);
    },
  );
}

/** For the operation log: numbers and names, never what was typed into a password field. */
function told(action: DeviceAction): string {
  const { action: name, ...rest } = action;
  const shown = Object.entries(rest).filter(([key]) => !/password|captcha/i.test(key));
  return shown.length === 0 ? name : `${name}: ${shown.map(([key, value]) => `${key} ${value}`).join(', ')}`;
}
