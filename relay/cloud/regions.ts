import { COUNTRIES } from '../../protocol/wire/countries.ts';
import { ProblemError } from '../api/problem.ts';
import type { DbOrTrx } from '../db/database.ts';

/** Who pays, and, where it is about channels, the site that they are at. */
interface Place {
  companyId: string;
  siteId?: string;
}

/**
 * Cloud storage is a service that an operator offers in some countries and not in others (CLOUD-12). What was paid before a
 * country was taken out goes on to its end.
 */
export class CloudRegions {
  readonly #notIn: ReadonlySet<string>;

  /** `notIn`: ISO 3166 alpha-2. */
  constructor({ notIn = [] }: { notIn?: readonly string[] } = {}) {
    this.#notIn = new Set(notIn);
  }

  /** A site without a country is where its company is; a company that names none is somewhere where it is offered. */
  async offered(db: DbOrTrx, { companyId, siteId }: Place): Promise<boolean> {
    if (this.#notIn.size === 0) return true;
    const company = await db.selectFrom('companies').select('country').where('id', '=', companyId).executeTakeFirst();
    const site =
      siteId === undefined
        ? undefined
        : await db.selectFrom('sites').select('country').where('id', '=', siteId).executeTakeFirst();
    return [company, site].every((one) => !this.#notIn.has(one?.country ?? ''));
  }

  /** Throws `not-allowed`. */
  async must(db: DbOrTrx, place: Place): Promise<void> {
    if (!(await this.offered(db, place)))
      throw new ProblemError('not-allowed', 'Cloud storage is not offered in this country.');
  }
}

/** Codes of countries as they are given to the relay, in one text or several. Throws for what is none. */
export function readCountries(given: string | readonly string[]): string[] {
  const codes = [given].flat().flatMap((part) => part.toUpperCase().split(/[\s,;]+/));
  return codes.filter(Boolean).map((code) => {
    if (!COUNTRIES.includes(code)) throw new Error(`“${code}” is no country: two letters are needed, as NG`);
    return code;
  });
}
