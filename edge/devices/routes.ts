import { type Context, Hono } from 'hono';
import { ChangePassword } from '../../protocol/wire/box-api.ts';
import { DeviceAction, ListName, Section, SettingsChange, Target } from '../../protocol/wire/operations.ts';
import type { Driver } from '../drivers/driver.ts';
import type { Result } from '../isapi/answer.ts';
import { invalidRequest, problemResponse } from '../problem-response.ts';
import type { DeviceManager } from './manager.ts';

/** Operating devices that are looked after (protocol/wire/operations.ts), under `/v1/devices`. */
export function deviceRoutes(devices: Pick<DeviceManager, 'operate' | 'act' | 'changePassword'>): Hono {
  const app = new Hono();
  const operate = async <T>(c: Context, fn: (driver: Driver) => Promise<Result<T>>, as: (value: T) => unknown) => {
    const done = await devices.operate(c.req.param('id') ?? '', fn);
    return done.ok ? c.json(as(done.value) as object) : problemResponse(done.code, done.detail);
  };
  const target = (c: Context) => Target.safeParse(c.req.query());

  app.get('/:id/snapshot', async (c) => {
    const at = target(c);
    if (!at.success) return invalidRequest(at.error);
    const shot = await devices.operate(c.req.param('id'), (driver) => driver.snapshot(at.data.channel ?? 1));
    if (!shot.ok) return problemResponse(shot.code, shot.detail);
    return c.body(new Uint8Array(shot.value), 200, { 'content-type': 'image/jpeg', 'cache-control': 'no-store' });
  });
  app.get('/:id/capabilities', (c) =>
    operate(
      c,
      (driver) => driver.capabilities(c.req.raw.signal),
      (value) => value,
    ),
  );
  app.get('/:id/settings/:section', async (c) => {
    const section = Section.safeParse(c.req.param('section'));
    const at = target(c);
    if (!section.success) return problemResponse('not-found');
    if (!at.success) return invalidRequest(at.error);
    return operate(
      c,
      (driver) => driver.readSettings(section.data, at.data, c.req.raw.signal),
      (fields) => ({ fields }),
    );
  });
  // A change that has begun is carried through, whoever asked for it is gone by then: half a change is worse.
  app.put('/:id/settings/:section', async (c) => {
    const section = Section.safeParse(c.req.param('section'));
    const at = target(c);
    const change = SettingsChange.safeParse(await c.req.json().catch(() => null));
    if (!section.success) return problemResponse('not-found');
    if (!at.success) return invalidRequest(at.error);
    if (!change.success) return invalidRequest(change.error);
    return operate(
      c,
      (driver) => driver.writeSettings(section.data, at.data, change.data.set),
      (value) => value,
    );
  });
  app.get('/:id/lists/:list', async (c) => {
    const list = ListName.safeParse(c.req.param('list'));
    const at = target(c);
    if (!list.success) return problemResponse('not-found');
    if (!at.success) return invalidRequest(at.error);
    return operate(
      c,
      (driver) => driver.readList(list.data, at.data, c.req.raw.signal),
      (items) => ({ items }),
    );
  });
  app.post('/:id/password', async (c) => {
    const wanted = ChangePassword.safeParse(await c.req.json().catch(() => null));
    if (!wanted.success) return invalidRequest(wanted.error);
    const { oldPassword, newPassword } = wanted.data;
    const done = await devices.changePassword(c.req.param('id'), oldPassword, newPassword);
    return done.ok ? c.json(done.value) : problemResponse(done.code, done.detail);
  });
  app.post('/:id/actions', async (c) => {
    const action = DeviceAction.safeParse(await c.req.json().catch(() => null));
    if (!action.success) return invalidRequest(action.error);
    const done = await devices.act(c.req.param('id'), action.data, c.req.raw.signal);
    return done.ok ? c.json(done.value) : problemResponse(done.code, done.detail);
  });
  return app;
}
