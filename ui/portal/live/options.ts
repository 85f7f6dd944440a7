import type { IceServer, LiveOptions, StreamName } from '../../../protocol/wire/video.ts';
import { api } from '../session.ts';

export type ChannelOptions = LiveOptions & { iceServers: IceServer[] };

/** Credentials of TURN servers live for ten minutes. */
const ICE_MS = 8 * 60_000;
/** A channel's streams do not change often. */
const OPTIONS_MS = 60_000;

let ice: { servers: Promise<IceServer[]>; atMs: number } | null = null;
const known = new Map<string, { options: Promise<ChannelOptions>; atMs: number }>();

export const liveAddress = (deviceId: string, channel: number): string =>
  `/api/v1/devices/${deviceId}/channels/${channel}/live`;

/** What of a channel can be seen, and how; asked once for all its windows. `stream` is looked at next: it is made ready. */
export function liveOptions(deviceId: string, channel: number, stream: StreamName): Promise<ChannelOptions> {
  const key = `${deviceId}/${channel}`;
  const now = Date.now();
  const found = known.get(key);
  if (found && now - found.atMs < OPTIONS_MS) return found.options;
  const params = { deviceId, channel: String(channel) };
  const options = api.get('/devices/{deviceId}/channels/{channel}/live', { params, query: { stream } });
  known.set(key, { options, atMs: now });
  options.catch(() => known.get(key)?.options === options && known.delete(key));
  return options;
}

/** A code was entered, or the device set up otherwise. */
export const forgetOptions = (deviceId: string, channel: number): void => void known.delete(`${deviceId}/${channel}`);

/** Servers for a direct connection: the same for all windows of a session. */
export function iceServers(deviceId: string, channel: number, stream: StreamName): Promise<IceServer[]> {
  const now = Date.now();
  const own = () => liveOptions(deviceId, channel, stream).then((options) => options.iceServers);
  // Asked for another device, whose box may be away.
  if (ice && now - ice.atMs < ICE_MS) return ice.servers.catch(own);
  const fresh = { servers: own(), atMs: now };
  ice = fresh;
  fresh.servers.catch(() => {
    if (ice === fresh) ice = null;
  });
  return fresh.servers;
}
