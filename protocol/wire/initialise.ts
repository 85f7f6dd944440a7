import { z } from 'zod';
import { Mac } from './activation.ts';
import { Host, Serial } from './ids.ts';
import { Job, type JobItem, JobSummary } from './jobs.ts';

/*
 * Initialising devices of the LAN (Hik-Partner Pro manual, table 3-2): a job of the kind `initialise`, one item a device.
 * And what follows for a recorder before it is added: its channels. The box's API, asked through the tunnel:
 *
 *   POST /v1/jobs             { kind: 'initialise', items: InitialiseItem[] }
 *   POST /v1/lan/recorder     BoxRecorder → RecorderView
 */

/** In this order. Those that are not for a device's type end as `skipped` with the code `not-for-type`. */
export const INITIALISE_STEPS = [
  'login',
  'check',
  'network',
  'ping',
  'firmware',
  'time',
  'storage',
  'motion',
  'encoding',
  'platform',
  'channels',
] as const;
export type InitialiseStep = (typeof INITIALISE_STEPS)[number];

const Password = z.string().min(1).max(128);
const Username = z.string().min(1).max(64);
/** What the box is told of each device. */
export const InitialiseItem = z.strictObject({
  mac: Mac,
  username: Username,
  password: Password,
  /** Of the site; null: the site does not set the clocks of its devices. */
  timeZone: z.string().max(64).nullable(),
  /** Clips will be recorded of its channels, so they must be playable in a browser and cut in short groups. */
  record: z.boolean(),
  /** For the maker's P2P service, where the device has none yet; null: none is kept. */
  verificationCode: z.string().max(16).nullable(),
  /** Of its model, as far as the relay has firmware; null: it knows of none. */
  newestFirmware: z.string().max(64).nullable(),
});
export type InitialiseItem = z.infer<typeof InitialiseItem>;

/** From the portal. */
export const InitialiseDevices = z.object({
  boxSerial: Serial,
  /** For the P2P service of those that have none yet; left out: the company's default. */
  verificationCode: z
    .string()
    .regex(/^[A-Za-z0-9]{6,12}$/, '6 to 12 letters and digits')
    .optional(),
  devices: z
    .array(
      z.object({
        mac: Mac,
        username: Username.default('admin'),
        /** Left out: the one that is kept since its activation. */
        password: Password.optional(),
        record: z.boolean().default(false),
      }),
    )
    .min(1)
    .max(64),
});
export type InitialiseDevices = z.input<typeof InitialiseDevices>;

/** A job of one of a site's boxes. */
export const SiteJobSummary = JobSummary.omit({ siteNote: true }).extend({ boxSerial: Serial });
export type SiteJobSummary = z.infer<typeof SiteJobSummary>;
export const SiteJob = Job.omit({ siteNote: true }).extend({ boxSerial: Serial });
export type SiteJob = z.infer<typeof SiteJob>;
/**
 * Server-sent events of `GET /api/v1/sites/{siteId}/jobs/{jobId}/stream`: `hello` first, then the whole job, each item
 * that changed, and the whole job again at its end.
 */
export type SiteJobMessage =
  | { event: 'hello'; data: Record<string, never> }
  | { event: 'job'; data: SiteJob }
  | { event: 'item'; data: JobItem };
export const SiteJobs = z.object({
  items: z.array(SiteJobSummary),
  /** Boxes that could not be asked: they may be at work too. */
  silent: z.array(Serial),
});
export type SiteJobs = z.infer<typeof SiteJobs>;

const Channel = z.int().min(1).max(9999);
/** A recorder's channels before it is added (CHAN-09…11). Cameras are added by it at the addresses that it sees. */
export const RecorderAsk = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('read') }),
  z.strictObject({
    do: z.literal('add'),
    cameras: z
      .array(
        z.strictObject({
          address: Host,
          port: z.int().min(1).max(65_535),
          protocol: z.string().min(1).max(32),
          username: Username.default('admin'),
          /**
           * The device that a person chose, as the box sees it at that address; by it a kept password is found, or the login
           * that the box itself has.
           */
          mac: Mac.optional(),
          /** Left out: the one that is kept for the device with that MAC. */
          password: Password.optional(),
        }),
      )
      .min(1)
      .max(64),
  }),
  /** Another password for the camera of a channel, whose first one it refused. */
  z.strictObject({ do: z.literal('edit'), channel: Channel, password: Password }),
  z.strictObject({ do: z.literal('remove'), channel: Channel }),
  /** The channels in their new order. */
  z.strictObject({
    do: z.literal('sort'),
    order: z.array(Channel).min(1).max(256),
    /**
     * Of the cameras at these channels, because a recorder forgets them; left out: kept ones that this recorder was given
     * before. Those that are missing are named: `ask.passwords.{channel}`.
     */
    passwords: z
      .array(z.strictObject({ channel: Channel, password: Password }))
      .max(256)
      .optional(),
  }),
]);
export type RecorderAsk = z.infer<typeof RecorderAsk>;
const Login = { username: Username, password: Password };
export const BoxRecorder = z.object({ mac: Mac, ...Login, ask: RecorderAsk });
export type BoxRecorder = z.infer<typeof BoxRecorder>;
export const AskRecorder = z.object({
  boxSerial: Serial,
  mac: Mac,
  username: Username.default('admin'),
  /** Left out: the one that is kept since its activation. */
  password: Password.optional(),
  ask: RecorderAsk,
});
export type AskRecorder = z.input<typeof AskRecorder>;

export const RecorderView = z.object({
  name: z.string().max(128),
  /** It has sockets of its own for cameras, which it adds by itself: nothing is to be done (INIT-20). */
  poe: z.boolean(),
  /** Only some models can (CHAN-10). */
  sortable: z.boolean(),
  channels: z
    .array(
      z.object({
        channel: z.int(),
        name: z.string().max(128),
        address: z.string().max(64).nullable(),
        /** null: it does not say. */
        online: z.boolean().nullable(),
      }),
    )
    .max(256),
  /** Cameras that it finds and has not got yet. */
  seen: z
    .array(
      z.object({
        address: z.string().max(64),
        port: z.int(),
        protocol: z.string().max(32),
        model: z.string().max(64).nullable(),
        serial: z.string().max(64).nullable(),
        /** What the box sees there, whatever the recorder says; told by the relay. */
        device: z.object({ mac: Mac, model: z.string() }).nullish(),
      }),
    )
    .max(256),
  /** Of `add` and `edit`: one a camera; null for the others. */
  added: z
    .array(
      z.object({
        address: z.string(),
        ok: z.boolean(),
        code: z.string().nullable(),
        text: z.string().nullable(),
        /** The recorder has it as this channel, also when it is not `ok`: the camera refused the password. */
        channel: z.int().nullish(),
      }),
    )
    .nullable(),
});
export type RecorderView = z.infer<typeof RecorderView>;

/** Recorders whose channels need no sorting (any more): they were sorted, or their model cannot. */
export const SortedRecorders = z.object({ macs: z.array(Mac) });
export type SortedRecorders = z.infer<typeof SortedRecorders>;
