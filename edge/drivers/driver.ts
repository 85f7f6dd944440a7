import type {
  ActionDone,
  DeviceAction,
  DeviceCapabilities,
  DeviceListItem,
  ListName,
  Section,
  SettingField,
  SettingsChange,
  SettingsWritten,
  Target,
} from '../../protocol/wire/operations.ts';
import type { Alert } from '../isapi/alert.ts';
import type { StreamEnd } from '../isapi/alert-stream.ts';
import type { Result } from '../isapi/answer.ts';
import type { DeviceInfo as IsapiDeviceInfo } from '../isapi/device.ts';

export type DeviceInfo = IsapiDeviceInfo;
export interface DriverChannel {
  channel: number;
  name: string;
  /** Without credentials; where this channel's main stream is. */
  rtspUrl: string;
  /** Where its sub-stream is; null: it has none. */
  sub: string | null;
}

/**
 * One device, whatever it speaks. Every call may be made at any time after `identify` and fails as a value; a driver
 * queues what the device cannot take at once, and sends no credentials any more once its login was refused.
 */
export interface Driver {
  readonly host: string;
  readonly port: number;
  /** Who it is; the first call. */
  identify(signal?: AbortSignal): Promise<Result<DeviceInfo>>;
  channels(signal?: AbortSignal): Promise<Result<DriverChannel[]>>;
  /** By how many ms its clock is ahead of the box's; null: it does not say. */
  clockDrift(signal?: AbortSignal): Promise<number | null>;
  /** Its events until the stream ends. What `onAlert` returns is waited for. */
  listen(o: {
    onOpen: () => void;
    onAlert: (alert: Alert) => Promise<void> | void;
    onUnreadable: () => void;
    signal: AbortSignal;
  }): Promise<StreamEnd>;
  /** Looks at once whether the event stream is still alive. */
  check(): void;
  snapshot(channel: number): Promise<Result<Buffer>>;
  capabilities(signal?: AbortSignal): Promise<Result<DeviceCapabilities>>;
  readSettings(section: Section, at: Target, signal?: AbortSignal): Promise<Result<SettingField[]>>;
  /** Writes, reads back and tells what did not stick. */
  writeSettings(
    section: Section,
    at: Target,
    set: SettingsChange['set'],
    signal?: AbortSignal,
  ): Promise<Result<SettingsWritten>>;
  readList(list: ListName, at: Target, signal?: AbortSignal): Promise<Result<DeviceListItem[]>>;
  act(action: DeviceAction, signal?: AbortSignal): Promise<Result<ActionDone>>;
  /** Ends everything under way at once; resolves after its last words, two seconds at most. It is not used again. */
  close(): Promise<void>;
}
