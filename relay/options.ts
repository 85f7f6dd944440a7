import type { Logger } from 'pino';
import type { Clock } from '../protocol/clock.ts';
import type { RateLimits } from './api/rate-limit.ts';
import type { S3Options } from './clips/s3-store.ts';
import type { DatabaseAddress } from './db/database.ts';
import type { NotifyOptions } from './notify/notify.ts';
import type { HostedOptions } from './receiver/hosted.ts';
import type { IceOptions } from './video/ice-servers.ts';

/** What a relay is started with. */
export interface RelayOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  dataDir: string;
  /** Default: SQLite in `dataDir`. */
  database?: DatabaseAddress;
  /** Internal addresses (CIDR) that the relay may dial nevertheless. */
  allowInternal: string[];
  /** How browsers reach the relay; https makes cookies `Secure`. */
  publicUrl?: string;
  /** Where pages of devices live, as `https://*.devices.example.org`; on this machine alone `*.localhost` without it. */
  deviceOrigin?: string;
  /** Reverse proxies in front, whose X-Forwarded-For is believed. */
  proxies: number;
  metricsToken?: string;
  enrolmentsPerAddressPerHour?: number;
  portalDir?: string;
  /** Requests that a company, and an address, may make of the API. */
  rateLimits?: RateLimits;
  /** Whom alarm receiving centres ask for help with joining. */
  helpEmail?: string;
  /** Receivers of centres that are this relay itself. */
  receiver?: HostedOptions;
  /** Ways to reach people: SMTP server, SMS gateway. */
  notify?: NotifyOptions;
  /** Days that clips of channels without cloud storage are kept; default 7. */
  basicClipDays?: number;
  /** Countries in which cloud storage is not offered. */
  cloudNotIn?: readonly string[];
  /** Where clips are kept; default: in `dataDir`. */
  s3?: S3Options | null;
  /** Clips in a bucket that is not given any more are given up, or were copied. */
  s3Forget?: boolean;
  /** STUN and TURN servers for direct live view. */
  ice?: IceOptions;
  clock: Clock;
  log: Logger;
}
