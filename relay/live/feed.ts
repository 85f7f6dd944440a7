import type { Logger } from 'pino';
import type { JournalRecord } from '../../protocol/wire/event.ts';
import type { AuthenticatedBox } from '../boxes/authenticate.ts';
import type { Db } from '../db/database.ts';
import type { EventParts, EventQueries } from '../events/queries.ts';
import type { Views } from '../sites/views.ts';
import type { Live } from './live.ts';

/** Turns what happens at boxes into messages for those who look at their site. Nobody looks: nothing is read. */
export class LiveFeed {
  readonly #db: Db;
  readonly #log: Logger;
  readonly #live: Live;
  readonly #views: Views;
  readonly #events: EventQueries;
  readonly #parts: Pick<EventParts, 'alarms'>;
  /** Boxes whose change is being told; a further change meanwhile is told once more at the end. */
  readonly #telling = new Map<string, { again: boolean }>();
  readonly #lastDevices = new Map<string, string>();

  constructor(deps: {
    db: Db;
    log: Logger;
    live: Live;
    views: Views;
    events: EventQueries;
    parts: Pick<EventParts, 'alarms'>;
  }) {
    this.#db = deps.db;
    this.#log = deps.log;
    this.#live = deps.live;
    this.#views = deps.views;
    this.#events = deps.events;
    this.#parts = deps.parts;
  }

  /** Presence, tunnel, state or health of a box changed. */
  boxChanged(serial: string): void {
    const telling = this.#telling.get(serial);
    if (telling) {
      telling.again = true;
      return;
    }
    const entry = { again: false };
    this.#telling.set(serial, entry);
    this.#tellBox(serial)
      .catch((error) => this.#log.error({ err: error, serial }, 'live update failed'))
      .finally(() => {
        this.#telling.delete(serial);
        if (entry.again) this.boxChanged(serial);
      });
  }

  /** A batch of a box's journal was committed. Clips tell their changes themselves. */
  stored(box: AuthenticatedBox, records: JournalRecord[]): void {
    if (!this.#live.watched(box.siteId)) return;
    this.#tellRecords(box.siteId, records).catch((error) => {
      this.#log.error({ err: error, serial: box.serial }, 'live update failed');
    });
  }

  async #tellBox(serial: string): Promise<void> {
    const row = await this.#db.selectFrom('boxes').selectAll().where('serial', '=', serial).executeTakeFirst();
    if (!row?.siteId || !this.#live.watched(row.siteId)) return;
    const { siteId } = row;
    this.#live.publish(siteId, { event: 'box', data: this.#views.box(row) });
    const devices = await this.#db
      .selectFrom('devices')
      .selectAll()
      .where('boxSerial', '=', serial)
      .where('deletedAt', 'is', null)
      .execute();
    for (const device of devices) {
      const data = this.#views.device(device);
      const text = JSON.stringify(data);
      if (this.#lastDevices.get(device.id) === text) continue;
      if (this.#lastDevices.size > 20_000) this.#lastDevices.clear();
      this.#lastDevices.set(device.id, text);
      this.#live.publish(siteId, { event: 'device', data });
    }
  }

  async #tellRecords(siteId: string, records: JournalRecord[]): Promise<void> {
    const changed = new Set<string>();
    const alarms = new Set<string>();
    const about = new Set<string>();
    for (const { kind, body } of records) {
      if (kind === 'event') changed.add(body.id);
      else if (kind === 'eventEnd') changed.add(body.eventId);
      else if (kind === 'alarm') {
        alarms.add(body.id);
        about.add(body.eventId);
      }
    }
    for (const data of await this.#events.items([...changed])) this.#live.publish(siteId, { event: 'event', data });
    for (const data of [...(await this.#parts.alarms([...about])).values()].flat()) {
      if (alarms.has(data.id)) this.#live.publish(siteId, { event: 'alarm', data });
    }
  }
}
