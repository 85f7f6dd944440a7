import { createRoute, z } from '@hono/zod-openapi';
import { BandwidthTest, StartBandwidthTest, UploadSettings } from '../../protocol/wire/bandwidth.ts';
import { Serial, Uuid } from '../../protocol/wire/ids.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import { SiteParams } from '../sites/routes.ts';
import type { BandwidthTests } from './bandwidth.ts';
import type { BoxUploads } from './upload-settings.ts';

const tags = ['Uplink'];
const BoxParams = z.object({ serial: Serial });
const TestParams = SiteParams.extend({ testId: Uuid });
const Test = BandwidthTest.meta({ id: 'BandwidthTest' });
const Settings = UploadSettings.meta({ id: 'UploadSettings' });
const REFUSED = ['not-allowed', 'account-limited', 'permission-needed', 'not-found'] as const;

/** What a site's uplink can do, and how much of it footage may take. */
export function registerBandwidthRoutes(
  app: Api,
  { tests, uploads }: { tests: BandwidthTests; uploads: BoxUploads },
): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/bandwidth-tests',
      operationId: 'startBandwidthTest',
      tags,
      summary: 'Test the uplink of a box, or of the box that a device is behind',
      description:
        'Takes about ten seconds, in which the box sends up to 512 MB, behind everything else that wants the uplink. The answer comes at once: ask for the test until it is no longer `running`. Devices added by their address have no such test.',
      request: { params: SiteParams, ...body(StartBandwidthTest) },
      responses: {
        201: json(Test, 'It runs'),
        ...problems(...REFUSED, 'conflict', 'box-unreachable', 'too-many-requests'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const test = await tests.begin(c.get('scope'), siteId, c.req.valid('json'));
      c.set('audit', { siteId, target: { kind: 'box', id: test.boxSerial, name: test.boxSerial } });
      return c.json(test, 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/bandwidth-tests',
      operationId: 'listBandwidthTests',
      tags,
      summary: 'The last tests of the uplinks of a site',
      request: { params: SiteParams },
      responses: { 200: json(z.object({ items: z.array(Test) }), 'Newest first'), ...problems('not-found') },
    }),
    async (c) => c.json({ items: await tests.list(c.get('scope'), c.req.valid('param').siteId) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/bandwidth-tests/{testId}',
      operationId: 'getBandwidthTest',
      tags,
      summary: 'One test, and what it recommends',
      request: { params: TestParams },
      responses: { 200: json(Test, 'As it is now'), ...problems('not-found') },
    }),
    async (c) => {
      const { siteId, testId } = c.req.valid('param');
      return c.json(await tests.get(c.get('scope'), siteId, testId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/boxes/{serial}/upload-settings',
      operationId: 'getUploadSettings',
      tags,
      summary: 'How much of its uplink and its disk a box may spend on footage',
      request: { params: BoxParams },
      responses: { 200: json(Settings, 'Null: as the box finds best'), ...problems('permission-needed', 'not-found') },
    }),
    async (c) => c.json(await uploads.get(c.get('scope'), c.req.valid('param').serial), 200),
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/boxes/{serial}/upload-settings',
      operationId: 'setUploadSettings',
      tags,
      summary: 'Change how much of its uplink and its disk a box may spend on footage',
      description: 'A window holds up 24/7 footage alone: clips of events are sent at any time.',
      request: { params: BoxParams, ...body(UploadSettings) },
      responses: { 200: json(Settings, 'As it is now'), ...problems(...REFUSED) },
    }),
    async (c) => {
      const { serial } = c.req.valid('param');
      const settings = c.req.valid('json');
      const site = await uploads.set(c.get('scope'), serial, settings);
      const limit = settings.uploadKbps === null ? 'no limit' : `${settings.uploadKbps} kbit/s`;
      c.set('audit', { siteId: site.id, target: { kind: 'box', id: serial, name: serial }, detail: limit });
      return c.json(settings, 200);
    },
  );
}
