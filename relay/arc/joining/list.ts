import { iso } from '../../../protocol/clock.ts';
import { type Arc, ArcInformation } from '../../../protocol/wire/arc-joining.ts';
import { ProblemError } from '../../api/problem.ts';
import type { Scope } from '../../auth/scope.ts';
import type { Db } from '../../db/database.ts';

/** The ARC list: centres that the operator let in and that are set up (ARC-03, ARC-12), where they serve (ARC-01). */
export class ArcList {
  readonly #db: Db;

  constructor({ db }: { db: Db }) {
    this.#db = db;
  }

  /**
   * With a site: the centres that serve it. Without: those that serve a country of the asker, which is the company's own and
   * those of its sites.
   */
  async list(scope: Scope, siteId?: string): Promise<Arc[]> {
    const countries = siteId === undefined ? await this.#countriesOf(scope) : await this.#countryOf(scope, siteId);
    return (await listed(this.#db)).filter((arc) => serves(arc, countries));
  }

  async get(scope: Scope, arcId: string): Promise<Arc> {
    const countries = await this.#countriesOf(scope);
    const [arc] = await listed(this.#db, arcId);
    if (!arc || (!serves(arc, countries) && arc.id !== scope.companyId))
      throw new ProblemError('not-found', 'There is no such alarm receiving centre in your countries.');
    return arc;
  }

  /** A site without a country is where its company is. */
  async #countryOf(scope: Scope, siteId: string): Promise<string[]> {
    const site = await scope.site(siteId);
    if (site.type !== 'personal')
      throw new ProblemError('conflict', 'Alarm receiving centres serve personal sites only: this is a team site.');
    return this.#known(site.companyId, [site.country]);
  }

  async #countriesOf(scope: Scope): Promise<string[]> {
    const sites = await this.#db
      .selectFrom('sites')
      .select('country')
      .distinct()
      .where('id', 'in', scope.siteIds())
      .where('deletedAt', 'is', null)
      .where('country', '<>', '')
      .execute();
    const own = await this.#known(scope.companyId, ['']);
    return [...own, ...sites.map((site) => site.country)];
  }

  async #known(companyId: string, countries: string[]): Promise<string[]> {
    const known = countries.filter((country) => country !== '');
    if (known.length > 0) return known;
    const { country } = await this.#db
      .selectFrom('companies')
      .select('country')
      .where('id', '=', companyId)
      .executeTakeFirstOrThrow();
    return country === '' ? [] : [country];
  }
}

/** Nothing known: nobody is left out. */
const serves = (arc: Arc, countries: string[]) =>
  countries.length === 0 || countries.some((country) => arc.information.countries.includes(country));

async function listed(db: Db, arcId?: string): Promise<Arc[]> {
  const rows = await db
    .selectFrom('arc_profiles as p')
    .innerJoin('companies as c', 'c.id', 'p.companyId')
    .select(['c.id', 'c.name', 'c.country', 'p.information', 'p.configuredMs'])
    .where('p.state', '=', 'listed')
    .where('c.type', '=', 'arc')
    .where('c.authentication', '=', 'approved')
    .where('c.suspendedMs', 'is', null)
    .$if(arcId !== undefined, (q) => q.where('c.id', '=', arcId!))
    .orderBy('c.name')
    .limit(1000)
    .execute();
  return rows.map(({ id, name, country, information, configuredMs }) => ({
    id,
    name,
    country,
    information: ArcInformation.parse(JSON.parse(information)),
    listedAt: iso(Number(configuredMs)),
  }));
}
