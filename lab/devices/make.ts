import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RtspFront } from '../camera/rtsp-front.ts';
import type { Video } from '../camera/video.ts';
import type { Emitted } from '../isapi/events.ts';
import type { Addresses } from './addresses.ts';
import { Device } from './device.ts';
import { type Kept, keptInMemory } from './factory.ts';
import { partsOf } from './parts.ts';
import type { DeviceProfile } from './profile.ts';

/** 1 × 1 pixel, for a lab without video. */
const TINY_JPEG = Buffer.from(
  '/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAv/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AN//Z',
  'base64',
);

const keptIn = (file: string): Kept => ({
  read: () => (existsSync(file) ? readFileSync(file, 'utf8') : null),
  write: (password) => (password === null ? rmSync(file, { force: true }) : writeFileSync(file, password)),
});

/** A device of the lab; `films` is whose picture it shows. */
export function makeDevice(o: {
  profile: DeviceProfile;
  films: DeviceProfile;
  video: Video | null;
  httpPort: number;
  rtspPort: number;
  data: string;
  addresses: Addresses;
  neighbours: () => Device[];
  record: (emitted: Emitted) => void;
}): Device {
  const { profile, films, video } = o;
  const hasVideo = video !== null && !profile.light && partsOf(profile.kind).hasVideo;
  const kept = (what: string) => (profile.light ? keptInMemory() : keptIn(join(o.data, `${profile.name}.${what}`)));
  return new Device({
    profile,
    httpPort: o.httpPort,
    parts: partsOf(profile.kind).parts,
    addresses: o.addresses,
    neighbour: (address) => o.neighbours().find((d) => d.profile.address === address && d.profile !== profile),
    neighbours: o.neighbours,
    rtsp: hasVideo
      ? (login, recordings, loudspeaker) => {
          recordings.python = video.python;
          return new RtspFront({
            port: o.rtspPort,
            login,
            upstream: () => video.upstream(films),
            recorded: { recordings, python: video.python },
            loudspeaker,
          });
        }
      : null,
    snapshot: async () => (hasVideo ? video.snapshot(films.name) : TINY_JPEG),
    record: o.record,
    onLabel: (text) => {
      if (films === profile) video?.label(profile.name, text);
    },
    onCoding: (coding) => {
      if (films === profile) video?.code(profile.name, coding);
    },
    kept: kept('password'),
    keptChannels: kept('channels'),
  });
}
