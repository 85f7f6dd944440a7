import { z } from 'zod';
import { DesiredStorage } from './desired.ts';
import { Instant, Serial, Uuid } from './ids.ts';

/*
 * Test of a box's uplink (CLOUD-14…16). The relay asks, the box sends, the relay measures what arrives:
 *
 *   relay → box   POST /v1/uplink-test  UplinkTestRequest → UplinkTestDone   answers when it has ended
 *   box → relay   PUT  {path}           bytes that cannot be compressed, chunked, over LINES connections at once
 *                                       → 200 {bytes}; 410: it is over
 *
 * `path` has a token that only this box was told, and is good for this test alone. What is sent passes the pacer of the
 * uploads: the test finds out what uploads would get, and a click or an alarm waits no longer than beside them.
 */

/**
 * How long is sent, of which `rampMs` only finds the rate; less than `leastMs` of measured time is no result. `spareMs`:
 * for the box to connect and to answer.
 */
export const TEST_TIMES = { testMs: 8_000, rampMs: 3_000, leastMs: 1_500, spareMs: 8_000 };
export type TestTimes = typeof TEST_TIMES;
export const TEST_LINES = 3;
/** What a test may cost at most. */
export const MAX_TEST_BYTES = 512 * 1024 * 1024;

export const UplinkTestRequest = z.object({
  path: z.string().regex(/^\/box\/v1\/uplink-tests\/[\w-]{1,128}\/[\w-]{16,128}$/),
  ms: z.int().min(1_000).max(60_000),
});
export type UplinkTestRequest = z.infer<typeof UplinkTestRequest>;

export const UplinkTestDone = z.object({
  /** Of the test, and what clips sent beside it meanwhile: both together are what the uplink took. */
  bytes: z.int().min(0),
  otherBytes: z.int().min(0),
  ms: z.int().min(0),
  /** An alarm had to be sent: the test made way and ended early. */
  yielded: z.boolean(),
  /** Why nothing could be sent; null: something was. */
  error: z.string().max(256).nullable(),
});
export type UplinkTestDone = z.infer<typeof UplinkTestDone>;

/**
 * Of a measured uplink, cloud storage is to take no more than this: cameras make more than their mean when much moves, the
 * uplink is not always as fast as during a test, and others use it too.
 */
export const UPLINK_SHARE = 0.7;

/** What footage may look like and what it needs, the best first: about what a camera makes at 25 pictures a second. */
export const DEFINITION_KBPS = [
  { definition: '3840*2160', kbps: 8192 },
  { definition: '2560*1440', kbps: 4096 },
  { definition: '1920*1080', kbps: 2048 },
  { definition: '1280*720', kbps: 1024 },
  { definition: '640*360', kbps: 512 },
] as const;

export const ChannelChoice = z.object({
  definition: z.string(),
  /** Of one channel. */
  kbps: z.int(),
  /** Channels that the uplink takes at this definition. */
  channels: z.int(),
});
export type ChannelChoice = z.infer<typeof ChannelChoice>;

export const Recommendation = ChannelChoice.extend({
  /** The other choices, the best definition first. */
  choices: z.array(ChannelChoice),
  /** What the compatibility list allows the model, which no uplink changes; null: it sets no limit. */
  maxChannels: z.int().nullable(),
});
export type Recommendation = z.infer<typeof Recommendation>;

export const BandwidthTest = z.object({
  id: Uuid,
  siteId: Uuid,
  boxSerial: Serial,
  /** Asked for this device; null: for the box with all that is behind it. */
  deviceId: Uuid.nullable(),
  state: z.enum(['running', 'done', 'failed']),
  startedAt: Instant,
  endedAt: Instant.nullable(),
  /** How long it takes at most, for a progress bar. */
  expectedMs: z.int(),
  kbps: z.int().nullable(),
  /** The test made way for an alarm: the uplink may be faster. */
  yielded: z.boolean(),
  /** Why it failed: `no-uplink`, `too-slow`, `interrupted`, or the code of a problem. */
  code: z.string().nullable(),
  text: z.string().nullable(),
  /** Null: no channel can be recommended. */
  recommended: Recommendation.nullable(),
});
export type BandwidthTest = z.infer<typeof BandwidthTest>;

/** For the box as a whole, or for one of the devices behind it. */
export const StartBandwidthTest = z.object({ boxSerial: Serial }).or(z.object({ deviceId: Uuid }));
export type StartBandwidthTest = z.infer<typeof StartBandwidthTest>;

/** How a box spends its uplink and its disk on footage; null: as the box finds best. */
export const UploadSettings = DesiredStorage.omit({ id: true, window: true }).extend({
  /** Minutes of the day, in the site's time zone, between which 24/7 footage is sent; clips of events go always. */
  window: z
    .object({ fromMinute: z.int().min(0).max(1439), toMinute: z.int().min(0).max(1439) })
    .refine((w) => w.fromMinute !== w.toMinute, 'a window that begins and ends at the same minute is none')
    .nullable()
    .default(null),
});
export type UploadSettings = z.infer<typeof UploadSettings>;
