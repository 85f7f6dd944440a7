import { failure, type IsapiFailure, type Result } from '../answer.ts';
import type { Channel } from '../device.ts';
import { type IsapiDevice, isAbsent, type XmlDocument } from '../isapi-device.ts';

/*
 * A recorder has channels of its own (analogue) and those of IP cameras; the documents of the latter stand elsewhere. Which
 * is which is not told in one place, so the address of IP channels is asked first, and what a device lacks is remembered.
 */

export const streamPaths = (device: IsapiDevice, id: number): string[] =>
  device.info.recorder
    ? [`/ContentMgmt/StreamingProxy/channels/${id}`, `/Streaming/channels/${id}`]
    : [`/Streaming/channels/${id}`];

/** Documents of a video input: `motionDetection`, `overlays`, `privacyMask`. */
export const inputPaths = (device: IsapiDevice, channel: number, what: string): string[] =>
  device.info.recorder
    ? [`/ContentMgmt/InputProxy/channels/${channel}/video/${what}`, `/System/Video/inputs/channels/${channel}/${what}`]
    : [`/System/Video/inputs/channels/${channel}/${what}`];

export const imagePaths = (device: IsapiDevice, channel: number): string[] =>
  device.info.recorder
    ? [`/ContentMgmt/ImageProxy/channels/${channel}`, `/Image/channels/${channel}`]
    : [`/Image/channels/${channel}`];

export const ptzPaths = (device: IsapiDevice, channel: number): string[] =>
  device.info.recorder
    ? [`/ContentMgmt/PTZCtrlProxy/channels/${channel}`, `/PTZCtrl/channels/${channel}`]
    : [`/PTZCtrl/channels/${channel}`];

/** The first of the documents at `paths` that the device has. `lacking`: what to say when it has none of them. */
export async function firstDocument(
  device: IsapiDevice,
  paths: readonly string[],
  lacking: string,
  signal?: AbortSignal,
): Promise<Result<XmlDocument & { path: string }>> {
  let failed: IsapiFailure | null = null;
  for (const path of paths) {
    const doc = await device.get(path, signal);
    if (doc.ok) return { ok: true, value: { ...doc.value, path } };
    // "Not now" tells more than "no such thing".
    if (!isAbsent(doc)) failed ??= doc;
  }
  return failed ?? failure('not-found', lacking);
}

const ASKED_OF_A_RECORDER = 3;

/**
 * The channels that have the document at `paths(channel)`. Cameras are asked channel by channel. Of a recorder with many
 * channels only the first few are: what it has for one IP channel it has for all, and asking each would take minutes. A
 * channel that is offline then still says so itself.
 */
export async function channelsWith(
  device: IsapiDevice,
  paths: (channel: number) => string[],
  signal?: AbortSignal,
): Promise<number[]> {
  const all = device.channels.map((c: Channel) => c.channel);
  const some = all.length > ASKED_OF_A_RECORDER && device.info.recorder;
  const found: number[] = [];
  for (const channel of some ? all.slice(0, ASKED_OF_A_RECORDER) : all) {
    if (!(await firstDocument(device, paths(channel), '', signal)).ok) continue;
    if (some) return all;
    found.push(channel);
  }
  return found;
}
