import { iso } from '../../protocol/clock.ts';
import type { EventType, NewRecord } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';

/** Something that happened to the box itself, to no device. */
export function boxEvent(type: EventType, text: string, nowMs: number): NewRecord {
  const [id, now] = [uuidv7(nowMs), iso(nowMs)];
  const nowhere = { deviceId: null, channel: null, deviceTime: null, sourceRef: null };
  return { kind: 'event', body: { id, type, ...nowhere, occurredAt: now, seenAt: now, text } };
}
