import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Db } from '../db/database.ts';
import { dropTestDatabase, openTestDatabase } from '../testing/database.ts';
import { cloudLimit, maxCloudChannels } from './limits.ts';

const dir = mkdtempSync(join(tmpdir(), 'gatepost-compat-'));
let db: Db;
beforeAll(async () => {
  db = await openTestDatabase(dir);
});
afterAll(async () => {
  await db.destroy();
  await dropTestDatabase(dir);
  rmSync(dir, { recursive: true, force: true });
});

it('limits the cloud channels of a model by what its firmware has reached (CLOUD-13)', async () => {
  expect(await maxCloudChannels(db, 'DS-7608NI-K2/8P', 'V4.72.107 build 230101')).toBe(2);
  expect(await maxCloudChannels(db, 'ds-7608ni-k2 ', 'V4.80.000')).toBe(2);
  expect(await maxCloudChannels(db, 'DS-7608NI-K1(D)', 'V4.74.000')).toBe(1);
  expect(await cloudLimit(db, 'DS-7608NI-K1(C)', 'V4.72.107')).toEqual({
    model: 'DS-7608NI-K1(C)',
    firmware: 'V4.72.107',
    channels: 2,
    maxWidth: 4096,
    maxHeight: 2160,
    maxKbps: 5120,
  });
});

it('takes the least where the generation or the firmware is not told, and knows no limit of what is not listed', async () => {
  expect(await maxCloudChannels(db, 'DS-7608NI-K1', 'V4.72.107')).toBe(1);
  expect(await maxCloudChannels(db, 'DS-7608NI-K2', '')).toBe(2);
  expect(await maxCloudChannels(db, 'DS-7608NI-K2', 'V3.1.0')).toBe(2);
  expect(await maxCloudChannels(db, 'DS-7608NI-K1(E)', 'V4.80.000')).toBeNull();
  // The list of brands says nothing about the cloud.
  expect(await maxCloudChannels(db, 'DS-7608NXI-K2', 'V4.80.000')).toBeNull();
  expect(await maxCloudChannels(db, '', 'V4.80.000')).toBeNull();
  const newer = {
    ...(await db.selectFrom('compatibility').selectAll().where('model', '=', 'DS-7608NI-K2').executeTakeFirstOrThrow()),
  };
  await db
    .insertInto('compatibility')
    .values({ ...newer, id: 'newer', firmware: 'V5.00.000', maxChannels: 4 })
    .execute();
  expect(await maxCloudChannels(db, 'DS-7608NI-K2', 'V4.90.0')).toBe(2);
  expect(await maxCloudChannels(db, 'DS-7608NI-K2', 'V5.0.0 build 240101')).toBe(4);
});
