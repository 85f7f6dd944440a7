import { z } from 'zod';
import { Host, Instant, Uuid } from './ids.ts';

/*
 * The receiving centre: what it received, and how it hands that on to the software of an alarm receiving centre.
 */

/** Leading zeros count. */
const Account = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[0-9A-F]{3,16}$/, '3 to 16 digits 0 to 9, A to F')
  .meta({ example: '1234' });

/** Where a message came from: a device or box, the receiver itself (no heartbeat), or a person who tests an output. */
export const ReceivedSource = z.enum(['device', 'receiver', 'test']);
export type ReceivedSource = z.infer<typeof ReceivedSource>;

/** One event of a message, read from its data block. */
export const ReceivedEvent = z.object({
  /** `BA`, `130`: SIA letters or the digits of a Contact ID event. */
  event: z.string().meta({ example: '130' }),
  qualifier: z.enum(['begin', 'end', 'still']).meta({ description: 'Contact ID 1 or E, 3 or R, 6 or P' }),
  area: z.number().nullable(),
  /** Zone, or user where the event is about one. */
  zone: z.string().nullable().meta({ example: '005' }),
  text: z.string().nullable(),
});
export type ReceivedEvent = z.infer<typeof ReceivedEvent>;

/** What an output hands on, and the pull API gives: the same object in a webhook. */
export const ReceivedMessage = z.object({
  id: Uuid.meta({ description: 'Stays the same at each delivery: what was seen already can be left out' }),
  source: ReceivedSource,
  receiverId: z.string(),
  /** Which account of which box it is (`listArcAccounts`); null: a device that speaks to the receiver itself. */
  accountId: Uuid.nullable(),
  account: z.string().meta({ example: '1234' }),
  protocol: z.string().meta({ example: 'ADM-CID' }),
  sequence: z.number(),
  line: z.string().nullable(),
  encrypted: z.boolean(),
  events: z.array(ReceivedEvent),
  /** The data block as it came: `#1234|1130 01 005`. */
  data: z.string(),
  /** Extended data as it came, each beginning with its letter. */
  extended: z.array(z.string()),
  /** Addresses of pictures and clips. */
  pictures: z.array(z.string()),
  occurredAt: Instant.nullable(),
  receivedAt: Instant,
  /** The same message was taken before: its id. Senders that got no acknowledgement send again. */
  repeatOf: Uuid.nullable(),
});
export type ReceivedMessage = z.infer<typeof ReceivedMessage>;

export const OutputKind = z.enum(['dc09', 'mlr2', 'webhook', 'pull']);
export type OutputKind = z.infer<typeof OutputKind>;

const Name = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'one line');
const Port = z.int().min(1).max(65_535);
const Cidr = z.string().regex(/^[0-9a-f.:]{2,45}(\/\d{1,3})?$/i, 'an address, or a range like 192.0.2.0/24');

/** SIA DC-09 to a receiver that the centre has already. */
export const Dc09OutputConfig = z.object({
  kind: z.literal('dc09'),
  host: Host,
  port: Port,
  transport: z.enum(['tcp', 'udp']).default('tcp'),
  /** Accounts under another number there; all others keep theirs. */
  accounts: z
    .array(z.object({ from: Account, to: Account }))
    .max(10_000)
    .default([]),
  /** `R` of what is sent. */
  receiver: z
    .string()
    .regex(/^[0-9A-F]{1,6}$/)
    .default('0'),
  line: z
    .string()
    .regex(/^[0-9A-F]{1,6}$/)
    .default('0'),
});

const MlrAccount = z.string().regex(/^[0-9A-F]{4}$/, 'four digits 0 to 9, A to F');

/** Sur-Gard MLR2 to automation software, over TCP. */
export const Mlr2OutputConfig = z.object({
  kind: z.literal('mlr2'),
  /** `server`: the software dials us; `client`: we dial it. */
  mode: z.enum(['server', 'client']),
  /** Client: where to dial. Server: null. */
  host: Host.nullable().default(null),
  /** Server: null where the relay chooses the port. */
  port: Port.nullable().default(null),
  /** Server: from where the software may dial. */
  peers: z.array(Cidr).max(20).default([]),
  receiver: z
    .string()
    .regex(/^[0-9A-F]{2}$/)
    .default('01'),
  line: z
    .string()
    .regex(/^[0-9A-F]$/)
    .default('1'),
  heartbeatS: z.int().min(5).max(300).default(30),
  /** Accounts that do not fit. */
  accounts: z
    .array(z.object({ from: Account, to: MlrAccount }))
    .max(10_000)
    .default([]),
  /** The account for what does not fit and is not in the list: nothing is left out. */
  otherAccount: MlrAccount.default('0000'),
});

/** Signed POSTs (Standard Webhooks). */
export const WebhookOutputConfig = z.object({
  kind: z.literal('webhook'),
  url: z.url({ protocol: /^https?$/ }).max(1_000),
});

/** The pull API alone: messages wait until they are fetched. */
export const PullOutputConfig = z.object({ kind: z.literal('pull') });

export const OutputConfig = z.discriminatedUnion('kind', [
  Dc09OutputConfig,
  Mlr2OutputConfig,
  WebhookOutputConfig,
  PullOutputConfig,
]);
export type OutputConfig = z.infer<typeof OutputConfig>;

export const OutputState = z.enum(['connected', 'connecting', 'ready', 'failing', 'off']);
export type OutputState = z.infer<typeof OutputState>;

export const ReceiverOutput = z.object({
  id: Uuid,
  name: z.string(),
  enabled: z.boolean(),
  config: OutputConfig,
  /** A key or a secret is set; nothing gives it back. */
  secret: z.boolean(),
  /** Repeats are handed on too. */
  repeats: z.boolean(),
  state: OutputState,
  /** What is wrong, in words. */
  reason: z.string().nullable(),
  since: Instant.nullable(),
  /** Not acknowledged yet. */
  waiting: z.int(),
  oldestWaitingAt: Instant.nullable(),
  lastAcknowledgedAt: Instant.nullable(),
  /** The other side refused it for good; still listed. */
  refused: z.int(),
  /** Port on which the software is waited for (MLR2 as server). */
  listeningPort: z.int().nullable(),
  /** Accounts that had to go to the other account, as last seen. */
  unmapped: z.array(z.string()),
});
export type ReceiverOutput = z.infer<typeof ReceiverOutput>;

export const SaveOutput = z.object({
  name: Name,
  enabled: z.boolean().default(true),
  config: OutputConfig,
  /** DC-09: the key in hex, or empty for none. Not given: stays. A webhook's secret is made by the relay. */
  key: z
    .string()
    .regex(/^([0-9a-fA-F]{32}|[0-9a-fA-F]{48}|[0-9a-fA-F]{64})?$/, '32, 48 or 64 hex digits')
    .optional(),
  /** Left out: where the mark of a repeat can go along (webhook, pull). */
  repeats: z.boolean().optional(),
});
export type SaveOutput = z.infer<typeof SaveOutput>;

/** The account that the test message is for. */
export const TestOutput = z.object({ account: Account.default('0000') });

/** The secret is here and nowhere else. */
export const SavedOutput = ReceiverOutput.extend({
  webhookSecret: z.string().nullable().meta({ example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }),
});

/** A message with what became of it at each output. */
export const ListedMessage = ReceivedMessage.extend({
  rowId: z.int(),
  deliveries: z.array(
    z.object({
      outputId: Uuid,
      state: z.enum(['waiting', 'acknowledged', 'refused']),
      tries: z.int(),
      endedAt: Instant.nullable(),
      reason: z.string().nullable(),
    }),
  ),
});
export type ListedMessage = z.infer<typeof ListedMessage>;

export const PulledMessages = z.object({
  items: z.array(ReceivedMessage),
  /** To be committed when these are safe; null: nothing came. */
  cursor: z.string().nullable(),
});
export type PulledMessages = z.infer<typeof PulledMessages>;

/** A device, or a box of somebody else, that sends DC-09 to a receiver hosted here. */
export const ReceiverSender = z.object({
  id: Uuid,
  receiverId: Uuid,
  account: Account,
  name: z.string(),
  encrypted: z.boolean(),
  localTime: z.boolean(),
  /** Something must come at least this often; null: not supervised. */
  supervisionS: z.int().nullable(),
  lastHeardAt: Instant.nullable(),
  /** Since when nothing came. */
  silentSince: Instant.nullable(),
});
export type ReceiverSender = z.infer<typeof ReceiverSender>;

export const SaveSender = z.object({
  receiverId: Uuid,
  account: Account,
  name: Name,
  key: z.string().max(64).nullable().default(null).meta({ description: 'null: in clear; at a change: as it was' }),
  keyFormat: z.enum(['hex', 'characters']).default('hex'),
  /** The device's clock shows local time: its time stamps are not checked. */
  localTime: z.boolean().default(false),
  supervisionS: z.int().min(10).max(604_800).nullable().default(null),
});
export type SaveSender = z.infer<typeof SaveSender>;

/** A receiver that this relay is itself. */
export const HostedPort = z.object({ receiverId: Uuid, name: z.string(), port: z.int().nullable() });
export type HostedPort = z.infer<typeof HostedPort>;
