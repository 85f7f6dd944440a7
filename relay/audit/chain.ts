import { createHash, randomBytes } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { AuditTables } from './schema.ts';

/*
 * The chain of one company's operation log:
 *
 *   hash(n) = SHA-256( hash(n-1) "\n" JSON [companyId, seq, id, atMs, operatorCompanyId, action, client, clientName, siteId,
 *             targetKind, targetId, result, operatorHash, subjectHash] )
 *   operatorHash = SHA-256( salt JSON [userId, name, email, address] )
 *   subjectHash  = SHA-256( salt JSON [siteName, targetName, detail] )
 *
 * An entry that is changed, added, moved or taken out breaks it. Words about people stand beside it: of them the chain has
 * salted hashes only, so that they can be erased, and cannot be changed.
 */

export type EntryRow = Selectable<AuditTables['audit_entries']>;
export type PeopleRow = Selectable<AuditTables['audit_people']>;
export type OperatorWords = Pick<PeopleRow, 'userId' | 'name' | 'email' | 'address'>;
export type SubjectWords = Pick<PeopleRow, 'siteName' | 'targetName' | 'detail'>;

/** What the first entry of a chain follows on. */
export const GENESIS = '0'.repeat(64);

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
export const newSalt = () => randomBytes(16).toString('base64url');

export const operatorHash = (salt: string, o: OperatorWords) =>
  sha256(salt + JSON.stringify([o.userId, o.name, o.email, o.address]));
export const subjectHash = (salt: string, s: SubjectWords) =>
  sha256(salt + JSON.stringify([s.siteName, s.targetName, s.detail]));

export function entryHash(previous: string, e: Omit<EntryRow, 'hash'>): string {
  const what = [e.companyId, e.seq, e.id, e.atMs, e.operatorCompanyId, e.action, e.client, e.clientName, e.siteId];
  const rest = [e.targetKind, e.targetId, e.result, e.operatorHash, e.subjectHash];
  return sha256(`${previous}\n${JSON.stringify([...what, ...rest])}`);
}

/** What a text search looks through. */
export const searchText = (entry: { action: string; clientName: string | null }, words: OperatorWords & SubjectWords) =>
  [words.name, words.email, words.siteName, words.targetName, words.detail, entry.action, entry.clientName]
    .filter(Boolean)
    .join('\n')
    .toLowerCase();

/** What is wrong with an entry that should follow on `previous`; null: nothing. `people` is what stands beside it. */
export function flaw(previous: string, entry: EntryRow, people: PeopleRow | undefined): string | null {
  if (entryHash(previous, entry) !== entry.hash) return 'the entry does not follow on the one before it';
  if (!people) return 'the words beside the entry are gone';
  const { operatorSalt, subjectSalt } = people;
  const operator = [people.userId, people.name, people.email, people.address];
  if (
    operatorSalt === null
      ? operator.some((word) => word !== null)
      : operatorHash(operatorSalt, people) !== entry.operatorHash
  )
    return 'the operator is another';
  const subject = [people.siteName, people.targetName, people.detail];
  if (
    subjectSalt === null
      ? subject.some((word) => word !== null)
      : subjectHash(subjectSalt, people) !== entry.subjectHash
  )
    return 'what it was about is another';
  const erased = operatorSalt === null || subjectSalt === null;
  return people.search === (erased ? '' : searchText(entry, people)) ? null : 'its words for the search are others';
}
