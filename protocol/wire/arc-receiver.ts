import { z } from 'zod';
import { ArcCode, ArcExtended, ArcPeriodicTest } from './desired.ts';
import { Host, Instant, Uuid } from './ids.ts';
import { LINE } from './people.ts';

/*
 * A receiver of an alarm receiving centre that is on the platform, with everything that an account there takes over from it
 * (ARC-32). Its key is written, never read.
 */

export const ReceiverEnd = z.object({ host: Host, port: z.int().min(1).max(65535) });
export type ReceiverEnd = z.infer<typeof ReceiverEnd>;

/** The relay's own line of an account: what it says itself ("box silent") carries this `L` (DC-09 §5.5.1.5). */
export const OwnLine = z.object({
  enabled: z.boolean().default(false),
  /** 1–6 hexadecimal digits; 0 is the line of the boxes. */
  line: z
    .string()
    .regex(/^[0-9A-F]{1,6}$/, 'one to six digits 0–9, A–F')
    .default('1'),
});
export type OwnLine = z.infer<typeof OwnLine>;

/** How accounts at the receiver are spoken for; the same words as in the box's desired state. */
export const ReceiverSettings = z.object({
  transport: z.enum(['tcp', 'udp']).default('tcp'),
  protocol: z.enum(['SIA-DCS', 'ADM-CID']).default('SIA-DCS'),
  /** NULL polls, tests RP/E602 for receivers that refuse NULL, or none. */
  supervision: z
    .object({
      kind: z.enum(['null', 'test', 'off']),
      intervalMs: z.int().min(5_000).max(86_400_000),
    })
    .default({ kind: 'null', intervalMs: 25_000 }),
  periodicTest: ArcPeriodicTest.nullable().default(null),
  ackTimeoutMs: z.int().min(1_000).max(20_000).default(5_000),
  attempts: z.int().min(1).max(5).default(2),
  /** Only what differs from the usual; a type stands once. */
  codes: z
    .array(ArcCode)
    .max(200)
    .refine((codes) => new Set(codes.map((code) => code.type)).size === codes.length, 'a type stands once')
    .default([]),
  extended: ArcExtended.default({ blocks: 1, text: false, picture: false, path: false }),
  partition: z.int().min(0).max(99).default(1),
  ownLine: OwnLine.default({ enabled: false, line: '1' }),
});
export type ReceiverSettings = z.infer<typeof ReceiverSettings>;

const Name = z.string().trim().min(1).max(64).regex(LINE, 'one line').meta({ example: 'Main receiver' });
/** `hosted`: the relay itself receives, and hands alarms on. */
export const ReceiverKind = z.enum(['external', 'hosted']);
export type ReceiverKind = z.infer<typeof ReceiverKind>;
export const KeyFormat = z.enum(['hex', 'characters']);
export type KeyFormat = z.infer<typeof KeyFormat>;

export const ReceiverProfile = ReceiverSettings.extend({
  id: Uuid,
  name: Name,
  kind: ReceiverKind,
  /** What boxes dial. */
  direct: ReceiverEnd,
  /** What the relay dials; of a hosted one the same. */
  relay: ReceiverEnd,
  /** Whether a key is set; it is never shown. */
  encrypted: z.boolean(),
  keyFormat: KeyFormat,
});
export type ReceiverProfile = z.infer<typeof ReceiverProfile>;

/** As its centre sees it. */
export const ArcReceiver = ReceiverProfile.extend({
  /** Accounts that use it; while there are any it is not removed. */
  accounts: z.int(),
  createdAt: Instant,
});
export type ArcReceiver = z.infer<typeof ArcReceiver>;

/** Key of AES-128, 192 or 256: 32, 48 or 64 hex digits, or 16, 24 or 32 characters. null: in clear. Left out: as it is. */
const Key = z.string().min(16).max(64).nullable().optional().meta({ example: '00112233445566778899AABBCCDDEEFF' });

export const SaveArcReceiver = ReceiverSettings.extend({
  name: Name,
  kind: ReceiverKind.default('external'),
  /** Needed for an external one; of a hosted one the relay knows it. */
  direct: ReceiverEnd.optional(),
  relay: ReceiverEnd.optional(),
  key: Key,
  keyFormat: KeyFormat.default('hex'),
})
  .refine((r) => r.kind === 'hosted' || (r.direct !== undefined && r.relay !== undefined), {
    path: ['direct'],
    error: 'where boxes and the relay reach the receiver',
  })
  .refine((r) => !/^0+$/.test(r.ownLine.line), {
    path: ['ownLine', 'line'],
    error: 'not 0: that is the line of the boxes',
  });
export type SaveArcReceiver = z.output<typeof SaveArcReceiver>;

/** A message to try a receiver with, also with a key that is not saved yet. */
export const TestReceiver = z.object({
  account: z
    .string()
    .regex(/^[0-9A-F]{3,16}$/, 'an account number has 3 to 16 digits 0–9, A–F')
    .meta({ example: '1234' }),
  /** `null`: supervision only; `test`: a test message RP/E602, which an operator may see. */
  message: z.enum(['null', 'test']).default('test'),
  key: Key,
  keyFormat: KeyFormat.optional(),
});
export type TestReceiver = z.output<typeof TestReceiver>;

export const RECEIVER_TEST_RESULTS = [
  'ok',
  'not-found',
  'not-allowed',
  'no-connection',
  'no-answer',
  'reset',
  'crc-bad',
  'decrypt-bad',
  'plain-answer',
  'key-format',
  'clock',
  'refused',
  'unsupported',
] as const;
/**
 * What became of a test: `decrypt-bad` the CRC is good and our key does not open the answer; `key-format` the receiver reads the
 * same key the other way; `clock` it refuses our time also after correction; `refused` NAK, `unsupported` DUH.
 */
export const ReceiverTestResult = z.enum(RECEIVER_TEST_RESULTS);
export type ReceiverTestResult = z.infer<typeof ReceiverTestResult>;
export const ReceiverTest = z.object({
  result: ReceiverTestResult,
  /** The way there as far as it went. */
  steps: z.array(
    z.object({ step: z.enum(['resolve', 'connect', 'answer', 'crc', 'key']), ok: z.boolean(), ms: z.int().nullable() }),
  ),
  address: z.string().nullable(),
  /** The frames in readable form; without any key. */
  sent: z.string().nullable(),
  answer: z.string().nullable(),
  /** What was inside an encrypted answer, where our key opened it. */
  opened: z.string().nullable(),
  /** How far the receiver's clock is ahead of the relay's, where it said so. */
  clockOffsetMs: z.int().nullable(),
});
export type ReceiverTest = z.infer<typeof ReceiverTest>;
