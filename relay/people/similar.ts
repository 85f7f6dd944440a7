import type { SimilarCompany } from '../../protocol/wire/people.ts';
import { COMPANY_TYPES } from '../../protocol/wire/rights.ts';
import type { DbOrTrx } from '../db/database.ts';
import { sortName } from '../db/schema.ts';

/** Forms of companies, and words that half of this field has in its name: they make no name similar. */
const COMMON =
  /^(gmbh|mbh|ag|kg|ohg|ug|se|sa|sas|sarl|srl|spa|bv|nv|ab|as|oy|ltd|limited|llc|llp|inc|corp|co|company|group|gruppe|und|and|the|security|sicherheit|sicherheitstechnik|systems|systeme|service|services|alarm|technik|solutions)$/;
const MOST = 10;

/** Words of a name by which it is found, in lower case without accents. */
export function nameWords(name: string): string[] {
  const words = sortName(name)
    .replace(/\p{M}/gu, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word.length >= 2);
  const own = words.filter((word) => !COMMON.test(word));
  return own.length > 0 ? own : words;
}

/** How alike two names are, 0 to 1: the share of pairs of letters that both have (Dice). */
export function likeness(a: string, b: string): number {
  const pairs = (name: string) => {
    const text = nameWords(name).join('');
    return Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => text.slice(i, i + 2));
  };
  const left = pairs(a);
  const right = pairs(b);
  if (left.length + right.length === 0) return 0;
  const rest = [...right];
  const shared = left.filter((pair) => {
    const at = rest.indexOf(pair);
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  });
  return (2 * shared.length) / (left.length + right.length);
}

/** Companies whose name is like this one, the most alike first. At most ten: this is no directory. */
export async function similarCompanies(db: DbOrTrx, name: string): Promise<SimilarCompany[]> {
  // Vowels match anything: "Muller" finds "Müller" on every database.
  const beginnings = nameWords(name).map((word) => word.slice(0, 4).replace(/[^b-df-hj-np-tv-z0-9]/g, '_'));
  if (beginnings.length === 0) return [];
  const rows = await db
    .selectFrom('companies')
    .select(['id', 'name', 'country', 'type'])
    .where('type', 'in', [...COMPANY_TYPES])
    .where('suspendedMs', 'is', null)
    .where((e) => e.or(beginnings.slice(0, 5).map((word) => e(e.fn<string>('lower', ['name']), 'like', `%${word}%`))))
    .limit(2_000)
    .execute();
  return rows
    .map((row) => ({ row, score: likeness(name, row.name) }))
    .filter(({ score }) => score >= 0.45)
    .sort((a, b) => b.score - a.score || a.row.name.localeCompare(b.row.name))
    .slice(0, MOST)
    .map(({ row }) => row);
}
