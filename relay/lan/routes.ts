import { createRoute, z } from '@hono/zod-openapi';
import { Uuid } from '../../protocol/wire/ids.ts';
import { LanQuestions, LanResult, SetAddresses } from '../../protocol/wire/lan.ts';
import {
  DevicePasswordChanged,
  LanDevice,
  NewDevicePassword,
  ResetPassword,
  SetRecovery,
  Unbind,
  Unbound,
} from '../../protocol/wire/lan-site.ts';
import { AskPasswordReset, PasswordRequest } from '../../protocol/wire/password-request.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import { SiteParams } from '../sites/routes.ts';
import type { PasswordRequests } from './password-requests.ts';
import type { SiteLan } from './site-lan.ts';

const tags = ['LAN'];
const Result = LanResult.meta({ id: 'LanResult' });
const REFUSED = [
  'not-allowed',
  'account-limited',
  'permission-needed',
  'not-found',
  'site-status',
  'box-revoked',
] as const;
const OF_DEVICE = [
  'conflict',
  'too-many-tries',
  'device-refused-login',
  'device-locked',
  'device-not-activated',
  'device-unreachable',
  'device-certificate-changed',
  'device-error',
  'box-unreachable',
] as const;

const RequestSchema = PasswordRequest.meta({ id: 'PasswordRequest' });
const DeviceParams = z.object({ deviceId: Uuid });

export function registerLanRoutes(app: Api, { lan, passwords }: { lan: SiteLan; passwords: PasswordRequests }): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/lan/addresses',
      operationId: 'setLanAddresses',
      tags,
      summary: 'Edit the addresses of devices on the LAN, added or not, also in a foreign subnet',
      description:
        'Each by its MAC. Without `password`: the login of the added device, or the password kept since activation.',
      request: { params: SiteParams, ...body(SetAddresses) },
      responses: { 200: json(z.object({ items: z.array(Result) }), 'One a device'), ...problems(...REFUSED) },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const items = await lan.setAddresses(c.get('scope'), siteId, c.req.valid('json'));
      const done = items.filter((item) => item.done).map((item) => `${item.mac} ${item.address ?? 'DHCP'}`);
      c.set('audit', { siteId, detail: `${done.length} of ${items.length}: ${done.join(', ')}` });
      return c.json({ items }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/lan/questions',
      operationId: 'askLanQuestions',
      tags,
      summary: 'What a device on the LAN offers for a forgotten password',
      request: { params: SiteParams, ...body(LanDevice) },
      responses: {
        200: json(LanQuestions.meta({ id: 'LanQuestions' }), 'As it says'),
        ...problems(...REFUSED, ...OF_DEVICE),
      },
    }),
    async (c) => {
      const { boxSerial, mac } = c.req.valid('json');
      return c.json(await lan.questions(c.get('scope'), c.req.valid('param').siteId, boxSerial, mac), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/lan/recovery',
      operationId: 'setLanRecovery',
      tags,
      summary: 'Set e-mail or security answers of a device that is not added yet; once',
      request: { params: SiteParams, ...body(SetRecovery) },
      responses: { 200: json(Result, 'Done'), ...problems(...REFUSED, ...OF_DEVICE) },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const wanted = c.req.valid('json');
      c.set('audit', { siteId, target: { kind: 'device', name: wanted.mac } });
      return c.json(await lan.setRecovery(c.get('scope'), siteId, wanted), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/lan/password-resets',
      operationId: 'resetLanPassword',
      tags,
      summary: 'A new password for the answers to a device’s security questions; wrong ones count as tries',
      request: { params: SiteParams, ...body(ResetPassword) },
      responses: { 200: json(Result, 'Done'), ...problems(...REFUSED, ...OF_DEVICE) },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const wanted = c.req.valid('json');
      c.set('audit', { siteId, target: { kind: 'device', name: wanted.mac } });
      return c.json(await lan.reset(c.get('scope'), siteId, wanted), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/unbindings',
      operationId: 'unbindDevice',
      tags,
      summary: 'Take a device away from the account that it is added to; it must be on the LAN, and its password known',
      description:
        'Refused while a box of that account looks after it, and for a day after. Its owner is told, and has it in the operation log.',
      request: { params: SiteParams, ...body(Unbind) },
      responses: {
        200: json(Unbound.meta({ id: 'Unbound' }), 'It can be added now'),
        ...problems(...REFUSED, ...OF_DEVICE),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const wanted = c.req.valid('json');
      c.set('audit', { siteId, target: { kind: 'device', name: wanted.mac } });
      const { unbound, companies } = await lan.unbind(c.get('scope'), siteId, wanted);
      // Whose it was reads it too.
      c.set('audit', { siteId, target: { kind: 'device', name: wanted.mac }, companies });
      return c.json(unbound, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/devices/{deviceId}/password',
      operationId: 'changeDevicePassword',
      tags,
      summary: 'Change the password of a device; its box goes on with the new one',
      description:
        'Without `oldPassword`: with the one that the box has: while the site is not handed over, and for its owner, whose open requests for the device are done by it.',
      request: { params: DeviceParams, ...body(NewDevicePassword) },
      responses: {
        200: json(DevicePasswordChanged.meta({ id: 'DevicePasswordChanged' }), 'What became of it'),
        ...problems(...REFUSED, ...OF_DEVICE),
      },
    }),
    async (c) => {
      const { deviceId } = c.req.valid('param');
      return c.json(await lan.changePassword(c.get('scope'), deviceId, c.req.valid('json')), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/devices/{deviceId}/password-requests',
      operationId: 'askPasswordReset',
      tags,
      summary: 'Ask the owner of a site to set a new password of a device; with the site authorisation',
      request: { params: DeviceParams, ...body(AskPasswordReset) },
      responses: { 201: json(RequestSchema, 'It waits for him'), ...problems(...REFUSED, 'conflict') },
    }),
    async (c) => {
      const made = await passwords.ask(c.get('scope'), c.req.valid('param').deviceId, c.req.valid('json'));
      return c.json(made, 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/devices/{deviceId}/password-requests',
      operationId: 'listPasswordRequestsOfDevice',
      tags,
      summary: 'What the own company asked the owner for, newest first',
      request: { params: DeviceParams },
      responses: { 200: json(z.object({ items: z.array(RequestSchema) }), 'Requests'), ...problems('not-found') },
    }),
    async (c) => c.json({ items: await passwords.sent(c.get('scope'), c.req.valid('param').deviceId) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/password-requests',
      operationId: 'listPasswordRequests',
      tags: ['Customer'],
      summary: 'New passwords that one is asked to set at one’s own sites, newest first',
      responses: { 200: json(z.object({ items: z.array(RequestSchema) }), 'Requests'), ...problems() },
    }),
    async (c) => c.json({ items: await passwords.received(c.get('scope')) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/password-requests/{passwordRequestId}/refuse',
      operationId: 'refusePasswordReset',
      tags: ['Customer'],
      summary: 'Set no new password; who asked is told',
      request: { params: z.object({ passwordRequestId: Uuid }) },
      responses: { 200: json(RequestSchema, 'Refused'), ...problems('account-limited', 'not-found', 'conflict') },
    }),
    async (c) => {
      const refused = await passwords.refuse(c.get('scope'), c.req.valid('param').passwordRequestId);
      const target = { kind: 'device', id: refused.deviceId, name: refused.deviceName };
      c.set('audit', { siteId: refused.siteId, target, companies: [refused.company.id] });
      return c.json(refused, 200);
    },
  );
}
