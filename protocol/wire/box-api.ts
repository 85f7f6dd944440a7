import { z } from 'zod';
import { BatchIssue } from './batch-issues.ts';
import { SpokenKind } from './desired.ts';
import { DevicePassword } from './device-password.ts';
import { DeviceTls } from './device-tls.ts';
import { Host, Instant } from './ids.ts';
import { CodeOutcome, VerificationCode } from './verification-code.ts';

/*
 * The box's own HTTP API, reached by the relay through the tunnel (interactive class). Bodies are JSON.
 *
 *   GET  /v1/discovery                    → DiscoveryList     everything seen on the LAN
 *   GET  /v1/discovery/events             → server-sent events, see DiscoveryMessage
 *   POST /v1/discovery/scan               → DiscoveryList     asks again, answers after 2 s
 *   POST /v1/devices/probe  ProbeRequest  → ProbeResult       one login with the given credentials, never repeated
 *   POST /v1/devices/activate  ActivateRequest → ActivateResult    the first password of a listed device
 *   POST /v1/devices/{id}/password  ChangePassword → PasswordChanged  each password is tried once
 *   GET  /v1/devices/{id}/snapshot?channel=1 → image/jpeg
 *   GET  /v1/health                       → Health
 *   Errors: application/problem+json with a stable `code`.
 */

/** Ping level (DISC-04…08): green < 50 ms, yellow 50–200 ms, red > 200 ms. */
export const DiscoveredDevice = z.object({
  /** '': not known yet; the device is told by its serial. */
  mac: z.string().max(17),
  /** '': it does not say. */
  serial: z.string().max(64),
  model: z.string().max(64),
  firmware: z.string().max(64).nullable(),
  address: z.string().max(45),
  subnetMask: z.string().max(45).nullable(),
  gateway: z.string().max(45).nullable(),
  httpPort: z.int().min(1).max(65535).nullable(),
  dhcp: z.boolean().nullable(),
  /** null: the device is too old to say (firmware before V5.3). */
  activated: z.boolean().nullable(),
  locked: z.boolean(),
  protocols: z.array(z.enum(['sadp', 'onvif', 'mdns', 'ssdp'])),
  pingMs: z.number().min(0).nullable(),
  pingMethod: z.enum(['icmp', 'tcp']).nullable(),
  pingLevel: z.enum(['green', 'yellow', 'red']).nullable(),
  firstSeenAt: Instant,
  lastSeenAt: Instant,
  /** Another device has the same address: identity is the MAC, never the IP. */
  addressConflict: z.boolean(),
  /** False: its address is in none of the box's subnets, so that it is heard and cannot be talked to. Left out: it can. */
  reachable: z.boolean().optional(),
  /** Of the box; null: heard on one of several. */
  interface: z.string().max(32).nullable().optional(),
  /** What to know before it is set up (INIT-06). */
  issues: z.array(BatchIssue).optional(),
});
export type DiscoveredDevice = z.infer<typeof DiscoveredDevice>;
export const DiscoveryList = z.object({ items: z.array(DiscoveredDevice) });
export type DiscoveryList = z.infer<typeof DiscoveryList>;

/** What a device is told by in a stream: its MAC, or its serial where the MAC is not known yet. */
export const discoveredKey = (device: Pick<DiscoveredDevice, 'mac' | 'serial'>): string => device.mac || device.serial;
const DiscoveryChanges = z.object({
  /** Devices that came or changed, whole. */
  items: z.array(DiscoveredDevice),
  /** Keys of those that are gone. */
  gone: z.array(z.string().max(64)),
});
/** `list` comes first, whole; then `changes`, at most every half second. */
export const DiscoveryMessage = z.discriminatedUnion('event', [
  z.object({ event: z.literal('list'), data: DiscoveryList }),
  z.object({ event: z.literal('changes'), data: DiscoveryChanges }),
]);
export type DiscoveryMessage = z.infer<typeof DiscoveryMessage>;
/**
 * Server-sent events of `GET /api/v1/sites/{siteId}/discovery/stream`: `hello` first with the boxes that are asked, then
 * what each says. `away`: that box cannot be asked now; its `list` comes as soon as it can.
 */
export type SiteDiscoveryMessage =
  | { event: 'hello'; data: { boxes: string[] } }
  | { event: 'list'; data: DiscoveryList & { boxSerial: string } }
  | { event: 'changes'; data: z.infer<typeof DiscoveryChanges> & { boxSerial: string } }
  | { event: 'away'; data: { boxSerial: string } };

export const ProbeRequest = z.object({
  host: Host,
  httpPort: z.int().min(1).max(65535),
  /** Of a device that was added before: this certificate and no other gets the login. Left out: it is found out what it wants. */
  tls: DeviceTls.optional(),
  username: z.string().min(1).max(64),
  password: z.string().min(1).max(128),
  /** Left out or `auto`: ISAPI, and where nothing speaks it, ONVIF. */
  kind: z.enum(['auto', ...SpokenKind.options]).optional(),
});
export type ProbeRequest = z.infer<typeof ProbeRequest>;
/** `mac` as discovery lists it. `verificationCode`: set at once, where the device has one. */
export const ActivateRequest = z.object({
  mac: z.string().max(17),
  password: DevicePassword,
  verificationCode: VerificationCode.nullable().optional(),
});
export type ActivateRequest = z.infer<typeof ActivateRequest>;
/** `weak`: the device took the password and calls it a risk. */
export const ActivateResult = z.object({
  mac: z.string(),
  weak: z.boolean(),
  /** ISAPI; the same with an address of the box's beside the device; SADP. */
  way: z.enum(['isapi', 'temporary-address', 'sadp']).optional(),
  /** What became of the verification code; left out: none was given. */
  code: CodeOutcome.optional(),
  issues: z.array(BatchIssue).optional(),
});
export type ActivateResult = z.infer<typeof ActivateResult>;

export const ProbeResult = z.object({
  /** What it turned out to speak. */
  kind: SpokenKind.default('isapi'),
  model: z.string(),
  serial: z.string(),
  mac: z.string().nullable(),
  firmware: z.string().nullable(),
  deviceType: z.string(),
  /** How it was reached: over HTTPS, or by HTTP at the port that was asked for. */
  httpPort: z.int().min(1).max(65535).optional(),
  tls: DeviceTls.optional(),
  channels: z.array(z.object({ channel: z.int(), name: z.string() })),
});
export type ProbeResult = z.infer<typeof ProbeResult>;

/** Where alarm panels send DC-09 to; `port` null: the box receives from none now. */
export const PanelsReach = z.object({
  port: z.int().min(1).max(65535).nullable(),
  addresses: z.array(z.string().max(45)).max(64),
});
export type PanelsReach = z.infer<typeof PanelsReach>;

/** `oldPassword` null: the one that the box has. */
export const ChangePassword = z.object({
  oldPassword: z.string().min(1).max(128).nullable(),
  newPassword: DevicePassword,
});
export type ChangePassword = z.infer<typeof ChangePassword>;
/** `uncertain`: the device went away in between, so that either password may be the one. */
export const PasswordChanged = z.object({
  outcome: z.enum(['changed', 'uncertain']),
  text: z.string().max(400).nullable(),
});
export type PasswordChanged = z.infer<typeof PasswordChanged>;
