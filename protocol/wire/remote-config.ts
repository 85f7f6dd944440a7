import { z } from 'zod';
import { Instant, Uuid } from './ids.ts';

/*
 * Remote configuration (RCFG): a device's own web page in the browser of a person, through the tunnel.
 *
 * The relay asks the box by CONNECT (RFC 9113 §8.5) for `{device id}:{port}`: it can name a device that the box looks after and
 * a port, and no host. With `gatepost-tls: 1` the box speaks TLS with the device and hands the plain bytes through.
 */

/** Request header of the CONNECT: TLS to the device. */
export const TLS_HEADER = 'gatepost-tls';
/** Answer header: where the device is, `host:port`; links in its pages name this address. */
export const ADDRESS_HEADER = 'gatepost-address';
/** Answer header of a refusal: a {@link RemoteRefusal}. */
export const REFUSAL_HEADER = 'gatepost-refusal';

/** Why the box does not connect to a device. */
export const REMOTE_REFUSALS = [
  /** The authority is no device id with a port. */
  'malformed',
  /** Switched off at the box. */
  'switched-off',
  /** The box does not look after such a device. */
  'unknown-device',
  /** It is not a port of its web page. */
  'port',
  /** The address that it has, or is said to have, is none that may be reached. */
  'address',
  /** Something else answers at its address. */
  'replaced',
  /** It was not seen on the LAN lately. */
  'not-seen',
  /** Too many connections. */
  'busy',
  /** It showed another certificate than before. */
  'certificate',
] as const;
export type RemoteRefusal = (typeof REMOTE_REFUSALS)[number];

export const deviceAuthority = (deviceId: string, port: number): string => `${deviceId}:${port}`;

/** Device id and port of a CONNECT's authority; null for anything else, above all hosts. */
export function parseDeviceAuthority(authority: string | undefined): { deviceId: string; port: number } | null {
  const m = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):([1-9]\d{0,4})$/.exec(authority ?? '');
  return m && Number(m[2]) <= 65_535 ? { deviceId: m[1]!, port: Number(m[2]) } : null;
}

/** Why a device's own page cannot be opened. */
export const REMOTE_ABSENCES = [
  /** Added by its address: there is no box through which to go. */
  'by-address',
  /** The relay has no addresses for pages of devices. */
  'not-set-up',
] as const;

export const RemoteSession = z.object({
  id: Uuid,
  deviceId: Uuid,
  /** Who opened it. */
  userName: z.string(),
  /** Opened by whoever asks, in this browser session: only there its page can be opened. */
  own: z.boolean(),
  url: z.string().nullable(),
  openedAt: Instant,
  usedAt: Instant,
  endsAt: Instant,
  requests: z.int().min(0),
});
export type RemoteSession = z.infer<typeof RemoteSession>;

export const RemoteSessions = z.object({
  /** Null: it can be opened. */
  absent: z.enum(REMOTE_ABSENCES).nullable(),
  items: z.array(RemoteSession),
});
export type RemoteSessions = z.infer<typeof RemoteSessions>;
