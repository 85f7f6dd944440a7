import type { Selectable } from 'kysely';
import { iso } from '../../../protocol/clock.ts';
import type { DeskTest } from '../../../protocol/wire/arc-desk.ts';
import type { DeskTables } from './schema.ts';

export type TestRow = Selectable<DeskTables['desk_tests']>;

export function toTest({
  id,
  startedMs,
  untilMs,
  endedMs,
  startedBy,
  endedBy,
  note,
  beginTold,
  endTold,
}: TestRow): DeskTest {
  return {
    id,
    startedBy,
    endedBy,
    note,
    beginTold,
    endTold,
    startedAt: iso(Number(startedMs)),
    untilAt: iso(Number(untilMs)),
    endedAt: endedMs === null ? null : iso(Number(endedMs)),
  };
}
