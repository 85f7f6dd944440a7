import Database from 'better-sqlite3';
import { z } from 'zod';
import { Alarm, ArcAccount, EventItem, LoginResponse, page, Site } from '../../protocol/wire/api.ts';
import { JournalRecord } from '../../protocol/wire/event.ts';
import type { ListedAlarm } from '../arc/centre.ts';
import type { Emitted } from '../isapi/events.ts';
import { type Comparison, compareLists, type Downtime, type Lists } from './lists.ts';

export interface Sources {
  /** The lab's control API, and the relay. */
  lab: string;
  portal: string;
  email: string;
  password: string;
  /** Journal files of the boxes. */
  journals: string[];
}

/** The whole comparison, as `node lab/compare.ts` does it. */
export async function compare(options: Sources & { downtimes?: Downtime[]; since?: number }): Promise<Comparison> {
  return compareLists({ ...(await collect(options)), downtimes: options.downtimes ?? [], since: options.since });
}

/** Reads the four lists where each of them is kept: lab, journal files, relay, receiver. */
export async function collect(from: Sources): Promise<Lists> {
  const { token } = await call(new URL('/api/v1/auth/login', from.portal), LoginResponse.pick({ token: true }), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: from.email, password: from.password }),
  });
  const headers = { authorization: `Bearer ${token}` };
  const all = async <T extends z.ZodType>(path: string, item: T): Promise<z.infer<T>[]> => {
    const items: z.infer<T>[] = [];
    for (let cursor: string | null = null; ; ) {
      const url = new URL(`/api/v1${path}`, from.portal);
      url.searchParams.set('limit', '200');
      if (cursor !== null) url.searchParams.set('cursor', cursor);
      const got: { items: z.infer<T>[]; nextCursor?: string | null } = await call(
        url,
        page(item).partial({ nextCursor: true }),
        {
          headers,
        },
      );
      items.push(...got.items);
      cursor = got.nextCursor ?? null;
      if (cursor === null) return items;
    }
  };
  const lists: Lists = {
    emitted: (await call(new URL('/emitted', from.lab), z.object({ items: z.array(z.custom<Emitted>()) }))).items,
    received: (await call(new URL('/arc/alarms', from.lab), z.object({ items: z.array(z.custom<ListedAlarm>()) })))
      .items,
    journal: from.journals.flatMap(readJournal),
    relayEvents: [],
    relayAlarms: [],
    alarmTypes: [],
  };
  for (const { id } of await all('/sites', Site.pick({ id: true }))) {
    lists.relayEvents.push(...(await all(`/sites/${id}/events`, EventItem.pick({ id: true, sourceRef: true }))));
    lists.relayAlarms.push(...(await all(`/sites/${id}/alarms`, Alarm.pick({ id: true, state: true }))));
    for (const account of await all(`/sites/${id}/arc`, ArcAccount.pick({ events: true })))
      lists.alarmTypes.push(...account.events);
  }
  return lists;
}

/** A box's journal file, read beside the running box. */
export function readJournal(path: string): JournalRecord[] {
  const database = new Database(path, { readonly: true, fileMustExist: true });
  try {
    const rows = database.prepare('SELECT seq, id, kind, at, body FROM records ORDER BY seq').all();
    return (rows as { body: string }[]).map((row) => JournalRecord.parse({ ...row, body: JSON.parse(row.body) }));
  } finally {
    database.close();
  }
}

async function call<T extends z.ZodType>(url: URL, schema: T, init?: RequestInit): Promise<z.infer<T>> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${url.pathname}: ${response.status} ${(await response.text()).slice(0, 300)}`);
  return schema.parse(await response.json());
}
