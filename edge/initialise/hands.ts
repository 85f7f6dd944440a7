import type { Addressing } from '../../protocol/wire/lan.ts';
import type { DeviceCategory } from '../../protocol/wire/operations.ts';
import type { Result } from '../isapi/answer.ts';

export interface At {
  mac: string;
  model: string;
  host: string;
  port: number;
  /** It answers to SADP: the other way to its address where it has no ISAPI. */
  sadp: boolean;
  username: string;
  password: string;
}
export interface Addresses {
  dhcp: boolean;
  address: string;
  subnetMask: string;
  gateway: string;
  dns: string[];
}
/** What was done, what was asked for and is not so; each a few words for a person. */
export interface Outcome {
  done: string[];
  failed: string[];
  rebootRequired: boolean;
}
export interface DiskOutcome {
  disk: string;
  result: 'formatted' | 'kept' | 'failed';
  text: string | null;
}

/** A device that took the login, for the steps of an initialisation. Whatever is done twice ends as if done once. */
export interface DeviceInHand {
  readonly model: string;
  /** As it says itself. */
  readonly mac: string | null;
  readonly serial: string;
  readonly firmware: string | null;
  readonly category: DeviceCategory;
  readonly channels: readonly number[];
  addresses(signal: AbortSignal): Promise<Result<Addresses>>;
  setAddressing(to: Addressing, signal: AbortSignal): Promise<Result<{ moved: boolean; rebootRequired: boolean }>>;
  reboot(signal: AbortSignal): Promise<Result<unknown>>;
  /** By how many ms its clock is ahead afterwards; a failure beyond ±2 s. */
  syncTime(zone: string, signal: AbortSignal): Promise<Result<{ driftMs: number; mode: string }>>;
  /** Formats disks that are surely new, and no others. */
  initialiseDisks(
    onPercent: (disk: string, percent: number) => void,
    signal: AbortSignal,
  ): Promise<Result<DiskOutcome[]>>;
  watchMotion(channel: number, signal: AbortSignal): Promise<Result<Outcome>>;
  encode(channel: number, record: boolean, signal: AbortSignal): Promise<Result<Outcome>>;
  /** null: it has no such service. */
  enablePlatform(code: string | null, signal: AbortSignal): Promise<Result<{ registered: boolean } | null>>;
  isPoeRecorder(signal: AbortSignal): Promise<Result<boolean>>;
  close(): void;
}

export interface Hands {
  /** One login, never repeated. */
  connect(at: At, signal: AbortSignal): Promise<Result<DeviceInHand>>;
}
