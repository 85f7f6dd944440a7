import type { Company, TestRelay } from './relay.ts';

/** A tenant with one of everything, for tests that walk all routes. */
export interface Tenant {
  relay: TestRelay;
  company: Company;
  /** An id of each kind, by the name of the path's parameter. */
  ids: Record<string, string>;
}

/** What a capability gives the walk over all routes (relay/tenancy.test.ts). */
export interface Fixture {
  /** Makes one of each thing of this capability; parameters that belong to a site or a device of it. */
  ids?: (tenant: Tenant) => Promise<Record<string, string>>;
  /** The same for things of the company itself: people, roles, keys. */
  companyIds?: (tenant: Tenant) => Promise<Record<string, string>>;
  /** Bodies that are valid in themselves, by method and path; ids in them are the asker’s own. */
  bodies?: Record<string, (own: Record<string, string>) => unknown>;
  /** Values of required query parameters, by method and path. */
  queries?: Record<string, string>;
  /** What a GET of the tenant's own may answer other than 200, with the reason why. */
  notOk?: Record<string, { status: number; why: string }>;
}
