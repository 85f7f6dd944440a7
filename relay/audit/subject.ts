import type { CompanyType } from '../../protocol/wire/rights.ts';
import type { AuditNote } from '../api/app.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { Operation } from './operation-log.ts';
import type { Matched } from './operations.ts';

export type Subject = Pick<Operation, 'siteId' | 'siteName' | 'targetKind' | 'targetId' | 'targetName'>;
const NOTHING: Subject = { siteId: null, siteName: null, targetKind: null, targetId: null, targetName: null };

/**
 * What an operation is about, from its path, as it was before the operation. Names are read through the scope: who tries
 * ids of others does not find their names in the log.
 */
export async function subjectOf(db: Db, scope: Scope | undefined, { params }: Matched): Promise<Subject> {
  const target = params.at(-1);
  if (!target) return NOTHING;
  const [name, id] = target;
  const subject: Subject = { ...NOTHING, targetKind: KINDS[name] ?? name.replace(/Id$/, ''), targetId: id };
  if (!scope) return subject;
  const found = await Promise.all([site(db, scope, params), device(db, scope, params), person(db, scope, params)]);
  return Object.assign(subject, ...found.map((part) => part ?? {}));
}

const KINDS: Record<string, string> = { serial: 'box', userId: 'person', employeeId: 'person' };
const parameter = (params: Matched['params'], ...names: string[]) => params.find(([name]) => names.includes(name))?.[1];
/** The name of the thing only when the thing itself is the target. */
const named = (params: Matched['params'], name: string, text: string | null) =>
  params.at(-1)?.[0] === name ? { targetName: text } : {};

async function site(db: Db, scope: Scope, params: Matched['params']): Promise<Partial<Subject> | undefined> {
  const siteId = parameter(params, 'siteId');
  const serial = parameter(params, 'serial');
  if (siteId === undefined && serial === undefined) return;
  const row = await db
    .selectFrom('sites')
    .select(['sites.id', 'sites.name'])
    .where('sites.id', 'in', scope.siteIds())
    .$if(siteId !== undefined, (q) => q.where('sites.id', '=', siteId as string))
    .$if(siteId === undefined, (q) =>
      q.where((e) =>
        e(
          'sites.id',
          '=',
          e
            .selectFrom('boxes')
            .select('boxes.siteId')
            .where('boxes.serial', '=', serial as string),
        ),
      ),
    )
    .executeTakeFirst();
  if (!row) return;
  const box = serial === undefined ? {} : named(params, 'serial', serial);
  return { siteId: row.id, siteName: row.name, ...named(params, 'siteId', row.name), ...box };
}

async function device(db: Db, scope: Scope, params: Matched['params']): Promise<Partial<Subject> | undefined> {
  const id = parameter(params, 'deviceId');
  if (id === undefined) return;
  const row = await db
    .selectFrom('devices')
    .innerJoin('sites', 'sites.id', 'devices.siteId')
    .select(['sites.id as siteId', 'sites.name as siteName', 'devices.name'])
    .where('devices.id', '=', id)
    .where(scope.reaches('devices.siteId', 'devices.id', 'list'))
    .executeTakeFirst();
  return row && { siteId: row.siteId, siteName: row.siteName, ...named(params, 'deviceId', row.name) };
}

async function person(db: Db, scope: Scope, params: Matched['params']): Promise<Partial<Subject> | undefined> {
  const id = parameter(params, 'userId', 'employeeId');
  if (id === undefined) return;
  const row = await db
    .selectFrom('users')
    .select('name')
    .where('id', '=', id)
    .where('companyId', '=', scope.companyId)
    .executeTakeFirst();
  return row && { targetName: row.name };
}

/** What the route itself knows goes before what was read from the path. */
export async function withNote(db: Db, subject: Subject, note: AuditNote): Promise<Subject> {
  const { siteId, target } = note;
  const merged = { ...subject };
  if (siteId !== undefined && siteId !== subject.siteId) {
    const row = await db.selectFrom('sites').select('name').where('id', '=', siteId).executeTakeFirst();
    Object.assign(merged, { siteId, siteName: row?.name ?? null });
  }
  if (target) {
    const { kind, id = null, name } = target;
    Object.assign(merged, { targetKind: kind, targetId: id, targetName: name ?? (await deviceName(db, kind, id)) });
  }
  return merged;
}

async function deviceName(db: Db, kind: string, id: string | null): Promise<string | null> {
  if (kind !== 'device' || id === null) return null;
  const row = await db.selectFrom('devices').select('name').where('id', '=', id).executeTakeFirst();
  return row?.name ?? null;
}

/** Of what was refused, only ids that the operator may know: what they made up or tried out is no part of the log. */
export const known = (subject: Subject, result: string): Subject =>
  result === 'ok' || subject.targetName !== null ? subject : { ...subject, targetId: null };

/**
 * Of what was refused, what the route said before it was: nothing about a site that the operator does not reach, and
 * nobody else's business.
 */
export async function refusedNote(db: Db, scope: Scope | undefined, note: AuditNote): Promise<AuditNote> {
  const { siteId, always, actor } = note;
  if (siteId === undefined) return { always, actor };
  const reached =
    scope &&
    (await db
      .selectFrom('sites')
      .select('id')
      .where('id', '=', siteId)
      .where('id', 'in', scope.siteIds())
      .executeTakeFirst());
  return reached ? { ...note, companies: [] } : { always, actor };
}

/** Of a person who was removed just now, the name is not written any more. */
export async function withoutErased(db: Db, subject: Subject): Promise<Subject> {
  if (!['person', 'employee'].includes(subject.targetKind ?? '') || subject.targetId === null) return subject;
  const row = await db
    .selectFrom('users')
    .select('id')
    .where('id', '=', subject.targetId)
    .where('deletedAt', 'is', null)
    .executeTakeFirst();
  return row ? subject : { ...subject, targetName: null };
}

/**
 * Tenants in whose log an operation stands: the operator's own; what a company does at a site stands in its owner's and
 * its installer's too, and what it does with a device in those of the customers it is shared with. What customers do in their own
 * home is nobody else's business, unless the route says so.
 */
export async function audience(
  db: Db,
  who: { companyId: string; companyType: CompanyType },
  subject: Subject,
  note: AuditNote,
): Promise<Set<string>> {
  const companies = new Set([who.companyId, ...(note.companies ?? [])]);
  if (subject.siteId === null || who.companyType === 'customer') return companies;
  const site = await db
    .selectFrom('sites')
    .select(['companyId', 'ownerId', 'status'])
    .where('id', '=', subject.siteId)
    .executeTakeFirst();
  if (!site) return companies;
  companies.add(site.companyId);
  if (site.ownerId) companies.add(site.ownerId);
  if (site.status === 'shared' && subject.targetKind === 'device' && subject.targetId) {
    const customers = await db
      .selectFrom('grants')
      .innerJoin('companies', 'companies.id', 'grants.companyId')
      .select('grants.companyId')
      .distinct()
      .where('grants.deviceId', '=', subject.targetId)
      .where('companies.type', '=', 'customer')
      .execute();
    for (const { companyId } of customers) companies.add(companyId);
  }
  return companies;
}
