import { iso } from '../../../../protocol/clock.ts';
import type { ArcTry } from '../../../../protocol/wire/event.ts';
import { uuidv7 } from '../../../../protocol/wire/ids.ts';
import type { Db } from '../../../db/database.ts';
import { urgencyOf } from '../codes.ts';

const MINUTE_MS = 60_000;

/** A receiver of a centre, an account of a site there, and alarms of every kind that the desk shows. */
export async function sampleDesk(
  db: Db,
  of: { companyId: string; siteId: string; boxSerial: string; deviceId: string; eventId: string; now: number },
): Promise<{ alarmId: string; accountId: string; receiverId: string }> {
  const { companyId, siteId, boxSerial, deviceId, now } = of;
  const [receiverId, accountId] = [uuidv7(now), uuidv7(now)];
  const createdAt = iso(now - 40 * 24 * 60 * MINUTE_MS);
  await db
    .insertInto('arc_receivers')
    .values({
      id: receiverId,
      companyId,
      name: 'Receiver North',
      createdAt,
      transport: 'tcp',
      directHost: '127.0.0.9',
      directPort: 12_000,
      relayHost: '127.0.0.9',
      relayPort: 12_000,
    })
    .execute();
  await db
    .insertInto('arc_accounts')
    .values({
      id: accountId,
      siteId,
      boxSerial,
      receiverId,
      account: '00A17F',
      createdAt,
      deletedAt: null,
      protocol: 'SIA-DCS',
      encrypted: 1,
      mode: 'direct-or-relay',
      events: '["motion"]',
      zones: '[]',
      supervisionKind: 'null',
      supervisionIntervalMs: 20_000,
    })
    .execute();
  const tried = (at: number, outcome: ArcTry['outcome'], path: ArcTry['path'], tookMs: number): ArcTry => ({
    at: iso(at),
    path,
    receiver: '127.0.0.9:12000',
    outcome,
    tookMs,
    frame: '5F2B0074"*SIA-DCS"0042R0L0#00A17F[4B1C…',
    reply: outcome === 'acknowledged' ? 'A1B20028"*ACK"0042R0L0#00A17F[9F…' : null,
  });
  const ids: string[] = [];
  const alarm = async (
    minutes: number,
    code: string,
    more: {
      zone?: string;
      kind?: 'alarm' | 'restore' | 'test';
      eventType?: 'fire' | 'intrusion' | 'motion' | null;
      delayMs?: number | null;
      path?: 'direct' | 'relay' | null;
      log?: ArcTry[];
      handled?: string;
      test?: boolean;
      repeat?: boolean;
      restored?: boolean;
      relay?: boolean;
    } = {},
  ) => {
    const at = now - minutes * MINUTE_MS;
    const { kind = 'alarm', delayMs = 400, path = 'direct', handled, test = false, eventType = null } = more;
    const source = more.relay ? ('relay' as const) : ('box' as const);
    const urgency = urgencyOf({ kind, protocol: 'SIA-DCS', code, source });
    const id = uuidv7(at);
    ids.push(id);
    const tests = test || kind === 'test';
    await db
      .insertInto('desk_alarms')
      .values({
        id,
        companyId,
        receiverId,
        accountId,
        account: '00A17F',
        siteId,
        boxSerial,
        source,
        kind,
        code,
        deviceId: eventType ? deviceId : null,
        channel: eventType ? 1 : null,
        eventType,
        text: null,
        eventId: eventType ? of.eventId : null,
        protocol: 'SIA-DCS',
        zone: more.zone ?? '001',
        sequence: 42,
        urgency,
        open: !tests && !handled && urgency < 3 ? 1 : 0,
        test: tests ? 1 : 0,
        state: delayMs === null ? 'waiting' : 'acknowledged',
        path: delayMs === null ? null : path,
        tries: more.log?.length ?? 1,
        log: JSON.stringify(more.log ?? [tried(at, 'acknowledged', 'direct', 120)]),
        possibleRepeat: more.repeat ? 1 : 0,
        reason: null,
        occurredAt: iso(at),
        queuedAt: iso(at + 20),
        acknowledgedAt: delayMs === null ? null : iso(at + delayMs),
        takenMs: at + 500,
        notes: handled ? 1 : 0,
        handledMs: handled ? at + 30_000 : null,
        handledBy: handled ? uuidv7(now) : null,
        handledName: handled ?? null,
        restoredAt: more.restored ? iso(at + 45_000) : null,
      })
      .execute();
    if (handled) {
      const note = { alarmId: id, userId: uuidv7(now), name: handled, atMs: at + 30_000 };
      await db
        .insertInto('desk_notes')
        .values({ ...note, kind: 'acknowledged', text: 'Owner called, a delivery.' })
        .execute();
    }
  };
  await alarm(300, 'RP', { kind: 'test', zone: '' });
  await alarm(240, 'BA', { handled: 'Nina Night', eventType: 'motion', restored: true });
  await alarm(120, 'BA', { test: true, eventType: 'intrusion' });
  await alarm(90, 'BH', { kind: 'restore', eventType: 'motion' });
  await alarm(45, 'YS', { delayMs: 46_000, path: 'relay' });
  await alarm(30, 'BA', { delayMs: 95_000, path: 'relay', eventType: 'intrusion', repeat: true });
  await alarm(12, 'YC', { zone: '000', relay: true, path: 'relay' });
  await alarm(6, 'FA', { zone: '007', eventType: 'fire', delayMs: null });
  const at = now - 2 * MINUTE_MS;
  await alarm(2, 'BA', {
    zone: '003',
    eventType: 'intrusion',
    path: 'relay',
    delayMs: 8_400,
    log: [
      tried(at, 'timeout', 'direct', 5_000),
      tried(at + 5_000, 'timeout', 'direct', 3_000),
      tried(at + 8_000, 'acknowledged', 'relay', 240),
    ],
  });
  const day = 24 * 60 * MINUTE_MS;
  const since = now - 20 * day;
  await db.insertInto('desk_heard').values({ accountId, sinceMs: since, heardMs: now }).execute();
  const change = (path: 'direct' | 'relay', atMs: number, up: 0 | 1) => ({ accountId, path, atMs, up });
  await db
    .insertInto('desk_paths')
    .values([
      ...[change('direct', since, 1), change('relay', since, 1)],
      ...[change('direct', now - 45 * MINUTE_MS, 0), change('direct', now - 25 * MINUTE_MS, 1)],
      ...[change('relay', now - 3 * day, 0), change('relay', now - 3 * day + 90_000, 1)],
    ])
    .execute();
  return { alarmId: ids.at(-1) as string, accountId, receiverId };
}
