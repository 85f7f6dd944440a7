import { join } from 'node:path';
import { iso, systemClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { CompanyType } from '../../protocol/wire/rights.ts';
import { sampleDesk } from '../arc/desk/testing/sample.ts';
import { hashPassword } from '../auth/passwords.ts';
import { bootstrap } from '../bootstrap.ts';
import { openDatabase } from '../db/database.ts';
import { type GrantSource, sortName } from '../db/schema.ts';

/*
 * Fills a new data directory with one company of each kind and a little of everything that pages show:
 *   node relay/testing/everyone.ts <directory>
 * prints JSON: the password of all, their addresses, ids for the addresses of pages.
 */

const PASSWORD = 'correct horse battery';
const DAY_MS = 86_400_000;

const db = await openDatabase({ path: join(process.argv[2]!, 'relay.db') });
const now = systemClock.now();
const createdAt = iso(now);
const passwordHash = await hashPassword(PASSWORD);

async function company(name: string, type: CompanyType, email: string, person: string) {
  const [companyId, userId] = [uuidv7(now), uuidv7(now)];
  await db
    .insertInto('companies')
    .values({ id: companyId, name, createdAt, type, authentication: 'approved' })
    .execute();
  await user(companyId, userId, email, person, 1);
  return { companyId, userId, email };
}
const user = (companyId: string, id: string, email: string, name: string, admin: 0 | 1) =>
  db
    .insertInto('users')
    .values({ id, companyId, email, name, passwordHash, createdAt, admin, emailVerifiedMs: now })
    .execute();

const acme = await bootstrap(db, systemClock, {
  company: 'Acme Alarms',
  name: 'Ida Installer',
  email: 'installer@example.org',
  password: PASSWORD,
  site: 'Corner Shop',
  timeZone: 'Europe/Berlin',
});
const centre = await company('Night Watch', 'arc', 'arc@example.org', 'Arthur Watch');
await company('Gatepost', 'operator', 'operator@example.org', 'Olga Operator');
const carla = await company('Carla Customer', 'customer', 'customer@example.org', 'Carla Customer');

// An employee with a role, one who is invited, one who asks to join.
const [employeeId, roleId] = [uuidv7(now), uuidv7(now)];
await user(acme.companyId, employeeId, 'employee@example.org', 'Emil Employee', 0);
const permissions = JSON.stringify(['manage-assigned-sites', 'manage-devices', 'live-view']);
await db
  .insertInto('roles')
  .values({ id: roleId, companyId: acme.companyId, name: 'Technician', permissions })
  .execute();
await db.insertInto('user_roles').values({ userId: employeeId, roleId }).execute();
await db
  .insertInto('site_managers')
  .values({ siteId: acme.siteId, userId: employeeId, untilMs: now + 2 * DAY_MS })
  .execute();
await db
  .insertInto('join_requests')
  .values({
    id: uuidv7(now),
    companyId: acme.companyId,
    email: 'nora@example.org',
    name: 'Nora New',
    locale: 'de',
    passwordHash,
    message: 'We met at the fair.',
    createdMs: now,
    expiresMs: now + 7 * DAY_MS,
  })
  .execute();
await db
  .insertInto('employee_invitations')
  .values({
    id: uuidv7(now),
    companyId: acme.companyId,
    email: 'ivan@example.org',
    name: 'Ivan Invited',
    locale: 'en',
    roles: JSON.stringify([roleId]),
    state: 'open',
    secretHash: 'none',
    invitedBy: acme.userId,
    createdMs: now,
    sentMs: now,
    expiresMs: now + 7 * DAY_MS,
  })
  .execute();

// A site that was handed over, one that waits for its customer.
async function site(name: string, status: 'authorized' | 'to-be-accepted' | 'not-handed-over', ownerId: string | null) {
  const id = uuidv7(now);
  await db
    .insertInto('sites')
    .values({
      id,
      companyId: acme.companyId,
      name,
      timeZone: 'Europe/Berlin',
      createdAt,
      sortName: sortName(name),
      status,
      ownerId,
      address: 'Hauptstraße 5',
      city: 'Berlin',
      country: 'DE',
    })
    .execute();
  return id;
}
const grant = (
  companyId: string,
  siteId: string,
  permission: 'own' | 'list' | 'manage' | 'all' | 'live',
  source: GrantSource,
  more: { deviceId?: string; untilMs?: number } = {},
) =>
  db
    .insertInto('grants')
    .values({ id: uuidv7(now), companyId, siteId, permission, source, ...more })
    .execute();
const villa = await site('Villa Carla', 'authorized', carla.companyId);
await grant(carla.companyId, villa, 'own', 'transfer');
await grant(acme.companyId, villa, 'list', 'transfer');
await grant(acme.companyId, villa, 'manage', 'authorization');
const waiting = await site('Garage', 'to-be-accepted', null);
await grant(acme.companyId, waiting, 'all', 'site');
await db
  .insertInto('transfers')
  .values({
    id: uuidv7(now),
    siteId: waiting,
    companyId: acme.companyId,
    sentBy: acme.userId,
    method: 'email',
    recipient: 'gerd@example.org',
    customerName: 'Gerd Garage',
    remark: '',
    locale: 'de',
    requests: '[]',
    tokenHash: 'none',
    sentMs: now,
    expiresMs: now + 7 * DAY_MS,
    day: createdAt.slice(0, 10),
    resend: 0,
    state: 'sent',
    decidedMs: null,
    ownerId: null,
  })
  .execute();

// A site to be shared and worked on, and a company that could help there.
const mall = await site('Shopping Mall', 'not-handed-over', null);
await grant(acme.companyId, mall, 'all', 'site');
await company('Partner Patrol', 'installer', 'partner@example.org', 'Paul Partner');
await db.updateTable('companies').set({ country: 'DE' }).where('type', '=', 'installer').execute();

// Devices, one of them shared for a while, and what happened at them.
async function device(siteId: string, name: string, accessMode: 'ip' | 'p2p' = 'ip') {
  const id = uuidv7(now);
  await db
    .insertInto('devices')
    .values({
      id,
      siteId,
      boxSerial: null,
      name,
      kind: 'isapi',
      mac: null,
      serial: `DS-2CD2143G2-I2025${name}`,
      host: 'camera.example',
      httpPort: 80,
      username: 'admin',
      createdAt,
      deletedAt: null,
      accessMode,
      model: 'DS-2CD2143G2-I',
      firmware: 'V5.7.3',
      channelCount: 1,
    })
    .execute();
  return id;
}
const deviceId = await device(acme.siteId, 'Gate');
await device(mall, 'Hall', 'p2p');
await device(mall, 'Yard', 'p2p');
const villaDevice = await device(villa, 'Front door');
await grant(acme.companyId, villa, 'live', 'application', { deviceId: villaDevice, untilMs: now + DAY_MS / 2 });
const applicationId = uuidv7(now);
await db
  .insertInto('permission_applications')
  .values({
    id: applicationId,
    siteId: villa,
    companyId: acme.companyId,
    userId: acme.userId,
    deciderId: carla.companyId,
    remark: 'To look at the picture quality.',
    createdMs: now,
  })
  .execute();
await db
  .insertInto('permission_application_items')
  .values({
    id: uuidv7(now),
    applicationId,
    deviceId: villaDevice,
    permission: 'playback',
    validity: '4h',
    state: 'pending',
    decidedMs: null,
  })
  .execute();
// A box that has not been heard for an hour.
await db
  .insertInto('boxes')
  .values({
    serial: '3467ACDEF',
    publicKey: 'none',
    sealKey: 'none',
    codeHash: 'none',
    version: '0.1.0',
    boot: null,
    epoch: null,
    state: 'claimed',
    siteId: acme.siteId,
    companyId: acme.companyId,
    enrolledMs: now - DAY_MS,
    seenMs: now - 3_600_000,
  })
  .execute();
const eventId = uuidv7(now);
await db
  .insertInto('events')
  .values({
    id: eventId,
    siteId: acme.siteId,
    boxSerial: '3467ACDEF',
    type: 'motion',
    deviceId,
    channel: 1,
    occurredAt: createdAt,
    seenAt: createdAt,
    deviceTime: null,
    receivedAt: createdAt,
    endedAt: null,
    text: null,
    sourceRef: null,
  })
  .execute();

const desk = await sampleDesk(db, {
  companyId: centre.companyId,
  siteId: acme.siteId,
  boxSerial: '3467ACDEF',
  deviceId,
  eventId,
  now,
});

await db.destroy();
const people = ['installer', 'employee', 'customer', 'arc', 'operator', 'partner'].map((who) => [
  who,
  `${who}@example.org`,
]);
console.log(
  JSON.stringify({
    password: PASSWORD,
    people: Object.fromEntries(people),
    ids: {
      mall: { siteId: mall, deviceId, eventId },
      installer: { siteId: acme.siteId, deviceId, eventId, alarmId: desk.alarmId, accountId: desk.accountId },
      customer: { siteId: villa, deviceId: villaDevice, eventId },
    },
  }),
);
