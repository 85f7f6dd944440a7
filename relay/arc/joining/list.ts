import { iso } from '../../../protocol/clock.ts';
import { type Arc, ArcInformation } from '../../../protocol/wire/arc-joining.ts';
import { ProblemError } from '../../api/problem.ts';
import type { Scope } from '../../auth/scope.ts';
import type { Db, DbOrTrx } from '../../db/database.ts';

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
    const countries = siteId === undefined ? await this.#countriesOf(scope) : [await this.#countryOf(scope, siteId)];
    return (await listed(this.#db)).filter((arc) => serves(arc, countries));
  }

  async get(scope: Scope, arcId: string): Promise<Arc> {
    const countries = await this.#countriesOf(scope);
    const [arc] = await listed(this.#db, arcId);
    if (!arc || (!serves(arc, countries) && arc.id !== scope.companyId))
      throw new ProblemError('not-found', 'There is no such alarm receiving centre in your countries.');
    return arc;
  }

  async #countryOf(scope: Scope, siteId: string): Promise<string> {
    const site = await scope.site(siteId);
    if (site.type !== 'personal')
      throw new ProblemError('conflict', 'Alarm receiving centres serve personal sites only: this is a team site.');
    return siteCountry(this.#db, site);
  }

  async #countriesOf(scope: Scope): Promise<string[]> {
    const company = await this.#db
      .selectFrom('companies')
      .select('country')
      .where('id', '=', scope.companyId)
      .executeTakeFirst();
    const sites = await this.#db
      .selectFrom('sites')
      .select('country')
      .distinct()
      .where('id', 'in', scope.siteIds())
      .where('deletedAt', 'is', null)
      .where('country', '<>', '')
      .execute();
    return [company?.country ?? '', ...sites.map((site) => site.country)].filter((country) => country !== '');
  }
}

/** Refuses unless this is a listed centre that serves the site: a personal one, in a country that it named. */
export async function mustServe(
  db: DbOrTrx,
  arcId: string,
  site: { type: string; country: string; companyId: string },
): Promise<Arc> {
  const [arc] = await listed(db, arcId);
  if (!arc) throw new ProblemError('not-found', 'There is no such alarm receiving centre on the list.');
  if (site.type !== 'personal')
    throw new ProblemError('conflict', 'Alarm receiving centres serve personal sites only: this is a team site.');
  const country = await siteCountry(db, site);
  if (!serves(arc, [country]))
    throw new ProblemError(
      'conflict',
      country === ''
        ? 'Enter the country of the site first: centres serve certain countries only.'
        : `${arc.name} does not serve sites in ${country}.`,
    );
  return arc;
}

/** A site without a country is where its company is. */
async function siteCountry(db: DbOrTrx, site: { country: string; companyId: string }): Promise<string> {
  if (site.country !== '') return site.country;
  const company = await db
    .selectFrom('companies')
    .select('country')
    .where('id', '=', site.companyId)
    .executeTakeFirst();
  return company?.country ?? '';
}

const serves = (arc: Arc, countries: string[]) => countries.some((c) => arc.information.countries.includes(c));

async function listed(db: DbOrTrx, arcId?: string): Promise<Arc[]> {
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
    ...{ id, name, country, information: ArcInformation.parse(JSON.parse(information)) },
    listedAt: iso(Number(configuredMs)),
  }));
}
