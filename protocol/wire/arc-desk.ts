import { z } from 'zod';
import { AlarmReport, ArcPathName, ArcTry, EventType } from './event.ts';
import { Instant, Serial, Uuid } from './ids.ts';
import { ArcPathHealth } from './uplink.ts';

/*
 * The desk of an alarm receiving centre: the alarms that its receivers were sent, most urgent first until somebody has
 * acknowledged them; what is known of each account; its report of a month.
 */

/** 0: life (fire, panic, medical, gas) · 1: intrusion and other alarms · 2: faults · 3: openings, restores, tests. */
export const Urgency = z.int().min(0).max(3);
export type Urgency = z.infer<typeof Urgency>;

/** An alarm that took longer than this to the receiver's acknowledgement is marked as delayed (EN 50136, M4). */
export const DELAYED_MS = 20_000;

/** What a code of SIA DC-03 or Contact ID is about, for people; events of our own boxes have a type that says more. */
export const MEANINGS = [
  'fire',
  'panic',
  'medical',
  'gas',
  'burglary',
  'tamper',
  'technical',
  'pathLost',
  'pathsLost',
  'fault',
  'power',
  'opened',
  'closed',
  'bypassed',
  'test',
  'testBegun',
  'testEnded',
  'untyped',
] as const;
export const Meaning = z.enum(MEANINGS);
export type Meaning = z.infer<typeof Meaning>;

/** Who said it: a box, the relay on its own line of the account ("box silent"), or a sender that is no box. */
export const DeskSource = z.enum(['box', 'relay', 'foreign']);
export type DeskSource = z.infer<typeof DeskSource>;

export const DeskAlarm = AlarmReport.pick({
  id: true,
  kind: true,
  account: true,
  receiverId: true,
  protocol: true,
  code: true,
  zone: true,
  state: true,
  path: true,
  tries: true,
  occurredAt: true,
  queuedAt: true,
  acknowledgedAt: true,
  possibleRepeat: true,
  reason: true,
}).extend({
  source: DeskSource,
  accountId: Uuid.nullable(),
  receiverName: z.string(),
  urgency: Urgency,
  meaning: Meaning,
  /** Of the box's event; null for what is no event of a device. */
  eventType: EventType.nullable(),
  eventId: Uuid.nullable(),
  site: z.object({ id: Uuid, name: z.string(), timeZone: z.string() }).nullable(),
  boxSerial: Serial.nullable(),
  deviceId: Uuid.nullable(),
  deviceName: z.string().nullable(),
  channel: z.int().nullable(),
  /** Of the channel, as the device calls it. */
  channelName: z.string().nullable(),
  /** What the device wrote. */
  text: z.string().nullable(),
  /** When the relay heard of it. */
  takenAt: Instant,
  /** Waits for somebody: an alarm that is no test, and nobody has acknowledged it. */
  open: z.boolean(),
  /** Sent while the account was in test mode, or a test message itself. */
  test: z.boolean(),
  /** Which person has acknowledged it here; the receiver's acknowledgement is `acknowledgedAt`. */
  handled: z.object({ at: Instant, name: z.string() }).nullable(),
  notes: z.int(),
  /** When its end was told, for an alarm that has ended. */
  restoredAt: Instant.nullable(),
  /** Whether this person may play it is asked when it is opened. */
  clipId: Uuid.nullable(),
});
export type DeskAlarm = z.infer<typeof DeskAlarm>;

export const DeskNote = z.object({
  at: Instant,
  name: z.string(),
  kind: z.enum(['note', 'acknowledged', 'reopened']),
  text: z.string(),
});
export type DeskNote = z.infer<typeof DeskNote>;

/** With the audit line: every try, who answered, and what people did. */
export const DeskAlarmDetail = DeskAlarm.extend({
  sequence: z.int(),
  log: z.array(ArcTry),
  history: z.array(DeskNote),
});
export type DeskAlarmDetail = z.infer<typeof DeskAlarmDetail>;

/** `open`: most urgent first; the others newest first, in the relay's own order. */
export const DeskShow = z.enum(['open', 'all', 'tests']);
export type DeskShow = z.infer<typeof DeskShow>;
export const DeskFilter = z.object({
  show: DeskShow.default('open'),
  urgency: z.coerce.number().pipe(Urgency).optional(),
  siteId: Uuid.optional(),
  accountId: Uuid.optional(),
  account: z
    .string()
    .regex(/^[0-9A-F]{1,16}$/)
    .optional(),
  /** When the relay heard of it: from, and before. */
  from: Instant.optional(),
  to: Instant.optional(),
});
export type DeskFilter = z.infer<typeof DeskFilter>;

export const NoteText = z.string().trim().max(1000);
export const Acknowledge = z.object({ note: NoteText.default('') });
export const AcknowledgeMany = z.object({ alarmIds: z.array(Uuid).min(1).max(200), note: NoteText.default('') });
export const AddNote = z.object({ text: NoteText.min(1) });

/** How far the receiver was told of a test's begin or end (TS, TE): not yet; told; given up, because it was over before. */
const Told = z.enum(['waiting', 'told', 'given-up']);
export const DeskTest = z.object({
  id: Uuid,
  startedAt: Instant,
  /** It ends by itself then. */
  untilAt: Instant,
  endedAt: Instant.nullable(),
  startedBy: z.string(),
  /** Null: it ended by itself, or is still on. */
  endedBy: z.string().nullable(),
  note: z.string(),
  beginTold: Told,
  endTold: Told,
});
export type DeskTest = z.infer<typeof DeskTest>;
export const BeginTest = z.object({ minutes: z.int().min(5).max(720), note: NoteText.default('') });
/** A test that is on may be made longer or shorter: so many minutes from now. */
export const ChangeTest = BeginTest.pick({ minutes: true });

export const DeskAccount = z.object({
  id: Uuid,
  account: z.string(),
  receiverId: Uuid,
  receiverName: z.string(),
  protocol: AlarmReport.shape.protocol,
  encrypted: z.boolean(),
  mode: z.enum(['direct-or-relay', 'relay']),
  site: z.object({ id: Uuid, name: z.string(), timeZone: z.string() }),
  boxSerial: Serial,
  /** Taken away: its history stays. */
  ended: z.boolean(),
  online: z.boolean(),
  /** When the box was last heard. */
  heardAt: Instant.nullable(),
  paths: ArcPathHealth.nullable(),
  /** The test that is on. */
  test: DeskTest.nullable(),
});
export type DeskAccount = z.infer<typeof DeskAccount>;

/** A test message that a box was asked for; its alarm appears in the lists under this id. */
export const TestSent = z.object({ alarmId: Uuid, askedAt: Instant });
export type TestSent = z.infer<typeof TestSent>;

export type DeskMessage =
  | { event: 'hello'; data: Record<string, never> }
  | { event: 'alarm'; data: DeskAlarm }
  | { event: 'account'; data: DeskAccount };

// --- reports
/** A month, in UTC: `2026-11`. */
export const Month = z
  .string()
  .regex(/^20\d\d-(0[1-9]|1[0-2])$/)
  .meta({ example: '2026-11' });

const Availability = z.object({
  /** How long it is known whether it was there. */
  observedMs: z.int(),
  downMs: z.int(),
  /** Null: nothing is known. */
  percent: z.number().nullable(),
  outages: z.int(),
  longestMs: z.int(),
});
export const DeskOutage = z.object({
  /** `all`: no path at all. */
  path: z.enum([...ArcPathName.options, 'all']),
  from: Instant,
  /** Null: it still lasts. */
  to: Instant.nullable(),
  durationMs: z.int(),
  /** When the receiver acknowledged the message about it; null: not told (a short gap is not). */
  toldAt: Instant.nullable(),
  reportingMs: z.int().nullable(),
});
export type DeskOutage = z.infer<typeof DeskOutage>;
const Times = z.object({ meanMs: z.int(), p95Ms: z.int(), maxMs: z.int() }).nullable();

/** One account's month: EN 50136 words, no certificate. */
export const DeskReport = z.object({
  account: DeskAccount.pick({ id: true, account: true, receiverName: true, site: true, boxSerial: true }),
  month: Month,
  from: Instant,
  /** The month's end, or now. */
  to: Instant,
  madeAt: Instant,
  /** Of all paths together: at least one was there. */
  availability: Availability,
  paths: z.array(Availability.extend({ path: ArcPathName, limitMs: z.int(), slowestReportMs: z.int().nullable() })),
  outages: z.array(DeskOutage),
  /** There were more than are listed. */
  outagesLeftOut: z.int(),
  alarms: z.object({
    sent: z.int(),
    acknowledged: z.int(),
    waiting: z.int(),
    failed: z.int(),
    possibleRepeats: z.int(),
    delayed: z.int(),
    byPath: z.array(z.object({ path: ArcPathName, count: z.int() })),
    /** From its occurrence to the receiver's acknowledgement; null: there was none. */
    times: Times,
  }),
  tests: z.object({ sent: z.int(), acknowledged: z.int() }),
  /** There were more messages than are counted: those from this time on are not in the figures; null: all are. */
  alarmsCountedTo: Instant.nullable(),
  testModes: z.array(DeskTest),
});
export type DeskReport = z.infer<typeof DeskReport>;

// --- pictures by a short address
export const DeskLink = z.object({
  /** `/v/…` */
  path: z.string(),
  /** With the relay's own address, where it is known. */
  url: z.string().nullable(),
  expiresAt: Instant,
});
export type DeskLink = z.infer<typeof DeskLink>;
/** What stands behind a short address. */
export const DeskView = z.object({
  siteName: z.string(),
  timeZone: z.string(),
  deviceName: z.string().nullable(),
  eventType: EventType,
  text: z.string().nullable(),
  occurredAt: Instant,
  endedAt: Instant.nullable(),
  expiresAt: Instant,
  clip: z
    .object({ state: z.enum(['recording', 'uploading', 'complete', 'incomplete', 'held']), durationMs: z.int() })
    .nullable(),
});
export type DeskView = z.infer<typeof DeskView>;

/** Where a box asks for the address of an alarm's picture, to send it along in `[V…]`; POST, answered by a {@link DeskLink}. */
export const ARC_LINKS_PATH = '/box/v1/arc-links';
export const ArcLinkRequest = z.object({ accountId: Uuid, eventId: Uuid });
export type ArcLinkRequest = z.infer<typeof ArcLinkRequest>;
