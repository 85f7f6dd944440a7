import type { DesiredDevice, SpokenKind } from '../../protocol/wire/desired.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import type { LoginGuard } from './login-guard.ts';

/** A device to look after, with its password opened: it never leaves the box's memory in this form. */
export type DeviceConfig = Omit<DesiredDevice, 'kind' | 'password' | 'panel'> & { kind: SpokenKind; password: string };

/** A video channel to pull. */
export interface ChannelConfig {
  deviceId: string;
  /** 1-based. */
  channel: number;
  name: string;
  /** Of its main stream, without credentials. */
  rtspUrl: string;
  /** The same of its sub-stream; null: it has none. */
  sub: string | null;
  username: string;
  password: string;
  /** Of a device that was added over HTTPS: what `rtsps:` has to show, too. */
  tls?: DeviceTls;
  guard: LoginGuard;
}
