import { iso } from '../../protocol/clock.ts';
import { SERIAL_ALPHABET } from '../../protocol/wire/ids.ts';
import { sortName } from '../../relay/db/schema.ts';

/** How much there is; the same numbers give the same rows, so that both databases hold the same. */
export interface Size {
  sites: number;
  devices: number;
  events: number;
}

export const FULL: Size = { sites: 100_000, devices: 500_000, events: 5_000_000 };
export const QUICK: Size = { sites: 2_000, devices: 10_000, events: 100_000 };

/** Change it with what is made here: what was kept of an earlier run is then made anew. */
export const WORLD_VERSION = 1;
export const PASSWORD = 'a password of the benchmark';
/** Nothing depends on today; sessions are made by signing in. */
const DAY_MS = 86_400_000;
const START_MS = Date.parse('2026-08-01T00:00:00Z');

const CITIES = ['Berlin', 'Hamburg', 'München', 'Köln', 'Leipzig', 'Dresden', 'Bremen', 'Essen', 'Kassel', 'Mainz'];
const KINDS = [
  'Jewelry',
  'Warehouse',
  'School',
  'Bakery',
  'Garage',
  'Hotel',
  'Office',
  'Villa',
  'Pharmacy',
  'Workshop',
];
const NAMES = ['Müller', 'Schmidt', 'Fischer', 'Weber', 'Wagner', 'Becker', 'Hoffmann', 'Koch', 'Richter', 'Klein'];
const PLACES = ['Entrance', 'Yard', 'Hall', 'Till', 'Gate', 'Stairs', 'Store', 'Roof', 'Ramp', 'Corridor'];
const TYPES = ['motion', 'motion', 'motion', 'intrusion', 'lineCrossing', 'tamper', 'videoLoss'];

/** Numbers that look random and are the same each time (mulberry32). */
function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A UUIDv7 of this moment, told apart by kind and number. */
function id(kind: number, n: number, ms = START_MS): string {
  const time = ms.toString(16).padStart(12, '0');
  const tail = `${kind.toString(16).padStart(4, '0')}${n.toString(16).padStart(11, '0')}`;
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8${tail.slice(0, 3)}-${tail.slice(3)}`;
}

function serial(n: number): string {
  let rest = n;
  let text = '';
  for (let i = 0; i < 9; i++) {
    text = SERIAL_ALPHABET[rest % SERIAL_ALPHABET.length] + text;
    rest = Math.floor(rest / SERIAL_ALPHABET.length);
  }
  return text;
}

const pick = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;
type Row = (string | number | null)[];
export interface Table {
  name: string;
  columns: string[];
  /** Made one by one: millions do not fit into memory. */
  rows: () => Iterable<Row>;
}

/**
 * One company with half of all sites and 40 employees, twenty with most of the rest, and a hundred small ones. Employees
 * are administrators, see every site, or only the 200 that are assigned to them. Every tenth site was handed over to its
 * customer. Each site has a box, and devices and events are spread over the sites, some sites having many more events.
 */
export class World {
  readonly size: Size;
  /** Site numbers of each company. */
  readonly #ranges: [first: number, end: number][] = [];
  readonly #people: { company: number; role: 'admin' | 'all' | 'assigned' }[] = [];

  constructor(size: Size) {
    this.size = size;
    const { sites } = size;
    const shares = [sites / 2, ...Array(20).fill((sites * 0.4) / 20), ...Array(100).fill((sites * 0.1) / 100)];
    let first = 0;
    for (const share of shares) {
      this.#ranges.push([first, first + Math.floor(share)]);
      first += Math.floor(share);
    }
    this.#ranges[0]![1] += sites - first;
    for (const range of this.#ranges.slice(1)) for (const i of [0, 1]) range[i]! += sites - first;
    for (let company = 0; company < shares.length; company++) {
      const employees = company === 0 ? 40 : company <= 20 ? 4 : 0;
      this.#people.push({ company, role: 'admin' });
      for (let i = 0; i < employees; i++) this.#people.push({ company, role: i % 2 ? 'all' : 'assigned' });
    }
  }

  /** E-mail addresses of people, and up to 200 of the sites that each reaches. */
  people(): { email: string; siteIds: string[] }[] {
    return this.#people.map((_, n) => ({
      email: `person-${n}@bench.example`,
      siteIds: this.#reach(n).map((site) => id(1, site)),
    }));
  }

  /** A word of a site's name that few sites have, and one that many have. */
  words(): { rare: string[]; common: string[] } {
    return {
      rare: [...Array(200).keys()].map((n) => String(10_000 + n * 37)),
      common: [...NAMES, ...KINDS, ...CITIES],
    };
  }

  #reach(person: number, count = 200): number[] {
    const { company } = this.#people[person]!;
    const [first, end] = this.#ranges[company]!;
    const step = Math.max(1, Math.floor((end - first) / count));
    return [...Array(Math.min(count, end - first)).keys()].map((i) => first + ((i * step + person) % (end - first)));
  }

  #companyOf(site: number): number {
    return this.#ranges.findIndex(([first, end]) => site >= first && site < end);
  }

  tables(passwordHash: string): Table[] {
    const { size } = this;
    const at = iso(START_MS);
    const people = this.#people;
    const sites = [...Array(size.sites).keys()];
    const companyOf = sites.map((site) => this.#companyOf(site));
    const handedOver = (site: number) => site % 10 === 9;
    const siteName = (n: number) => `${pick(KINDS, n)} ${pick(NAMES, Math.floor(n / 10))} ${10_000 + n}`;
    const reach = (n: number) => this.#reach(n);
    const events = this.#events();
    return [
      {
        name: 'companies',
        columns: ['id', 'name', 'createdAt', 'type', 'authentication'],
        *rows() {
          for (const n of new Set(companyOf)) yield [id(0, n), `Company ${n}`, at, 'installer', 'approved'];
          for (const n of sites) if (handedOver(n)) yield [id(9, n), `Customer ${n}`, at, 'customer', 'none'];
        },
      },
      {
        name: 'users',
        columns: ['id', 'companyId', 'email', 'name', 'passwordHash', 'createdAt', 'admin', 'emailVerifiedMs'],
        *rows() {
          for (const [n, { company, role }] of people.entries()) {
            const admin = role === 'admin' ? 1 : 0;
            yield [
              id(2, n),
              id(0, company),
              `person-${n}@bench.example`,
              `Person ${n}`,
              passwordHash,
              at,
              admin,
              START_MS,
            ];
          }
        },
      },
      {
        name: 'roles',
        columns: ['id', 'companyId', 'name', 'permissions'],
        *rows() {
          for (const n of new Set(companyOf)) {
            const rest = ['manage-devices', 'configure-devices', 'live-view', 'playback'];
            yield [id(3, n), id(0, n), 'All sites', JSON.stringify(['manage-all-sites', ...rest])];
            yield [id(4, n), id(0, n), 'Assigned sites', JSON.stringify(['manage-assigned-sites', ...rest])];
          }
        },
      },
      {
        name: 'user_roles',
        columns: ['userId', 'roleId'],
        *rows() {
          for (const [n, { company, role }] of people.entries())
            if (role !== 'admin') yield [id(2, n), id(role === 'all' ? 3 : 4, company)];
        },
      },
      {
        name: 'sites',
        columns: ['id', 'companyId', 'name', 'sortName', 'timeZone', 'createdAt', 'type', 'status', 'ownerId', 'city'],
        *rows() {
          for (const n of sites) {
            const name = siteName(n);
            const [status, owner] = handedOver(n) ? ['authorized', id(9, n)] : ['not-handed-over', null];
            const company = id(0, companyOf[n]!);
            yield [
              id(1, n),
              company,
              name,
              sortName(name),
              'Europe/Berlin',
              at,
              'team',
              status!,
              owner!,
              pick(CITIES, n),
            ];
          }
        },
      },
      {
        name: 'grants',
        columns: ['id', 'companyId', 'siteId', 'permission', 'source', 'sourceId'],
        *rows() {
          for (const n of sites) {
            const company = id(0, companyOf[n]!);
            const site = id(1, n);
            if (!handedOver(n)) yield [id(5, n), company, site, 'all', 'site', null];
            else {
              yield [id(6, n), id(9, n), site, 'own', 'transfer', null];
              yield [id(7, n), company, site, 'list', 'transfer', null];
              yield [id(8, n), company, site, 'manage', 'authorization', null];
            }
          }
        },
      },
      {
        name: 'site_managers',
        columns: ['siteId', 'userId'],
        *rows() {
          for (const [n, { role }] of people.entries())
            if (role === 'assigned') for (const site of new Set(reach(n))) yield [id(1, site), id(2, n)];
        },
      },
      {
        name: 'boxes',
        columns: [
          'serial',
          'publicKey',
          'sealKey',
          'codeHash',
          'version',
          'state',
          'siteId',
          'companyId',
          'enrolledMs',
          'seenMs',
        ],
        *rows() {
          for (const n of sites)
            yield [
              serial(n),
              `k${n}`,
              `s${n}`,
              'c',
              '0.1.0',
              'claimed',
              id(1, n),
              id(0, companyOf[n]!),
              START_MS,
              START_MS,
            ];
        },
      },
      {
        name: 'devices',
        columns: [
          'id',
          'siteId',
          'boxSerial',
          'name',
          'kind',
          'serial',
          'host',
          'httpPort',
          'username',
          'createdAt',
          'model',
        ],
        *rows() {
          for (let n = 0; n < size.devices; n++) {
            const site = n % size.sites;
            const name = `${pick(PLACES, n + Math.floor(n / size.sites))} ${1 + Math.floor(n / size.sites)}`;
            const model = `DS-2CD${2000 + (n % 90)}`;
            yield [
              id(10, n),
              id(1, site),
              serial(site),
              name,
              'isapi',
              `C${100_000_000 + n}`,
              '192.0.2.5',
              80,
              'admin',
              at,
              model,
            ];
          }
        },
      },
      events,
    ];
  }

  #events(): Table {
    const { sites, devices, events } = this.size;
    const perSite = Math.floor(devices / sites);
    return {
      name: 'events',
      columns: [
        'id',
        'siteId',
        'boxSerial',
        'type',
        'deviceId',
        'channel',
        'occurredAt',
        'seenAt',
        'receivedAt',
        'endedAt',
        'text',
        'sourceRef',
      ],
      *rows() {
        const next = random(7);
        const stepMs = (90 * DAY_MS) / events;
        for (let n = 0; n < events; n++) {
          const ms = Math.floor(START_MS + n * stepMs);
          // The square gives some sites a hundred times the events of others.
          const site = Math.floor(next() ** 2 * sites);
          const device = site + sites * Math.floor(next() * perSite);
          const time = iso(ms);
          const type = pick(TYPES, Math.floor(next() * TYPES.length));
          yield [
            id(11, n, ms),
            id(1, site),
            serial(site),
            type,
            id(10, device),
            1,
            time,
            time,
            iso(ms + 80),
            iso(ms + 9000),
            null,
            null,
          ];
        }
      },
    };
  }
}
