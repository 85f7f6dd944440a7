import type { DeviceListItem } from '../../../protocol/wire/operations.ts';
import type { Feature, Offer } from '../../drivers/feature.ts';
import type { Result } from '../answer.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { addChannel, deleteChannel, editChannel, sortChannels } from './recorder-edit.ts';
import {
  type CameraSeen,
  isPoeRecorder,
  PROXY,
  type RecorderChannel,
  readCamerasSeen,
  readRecorderChannels,
} from './recorder-list.ts';

const RESTART = 'It has to be restarted for that.';
const done = (text: string | null = null) => ({ ok: true as const, value: { pending: false, text } });

const channelItem = (c: RecorderChannel): DeviceListItem => ({
  id: String(c.channel),
  name: c.name || `Channel ${c.channel}`,
  values: {
    address: c.address,
    port: c.port,
    protocol: c.protocol,
    username: c.username,
    online: c.online,
    fault: c.fault,
    plugAndPlay: c.plugAndPlay,
    ...(c.model && { model: c.model }),
    ...(c.serial && { serial: c.serial }),
  },
});
const cameraItem = (c: CameraSeen): DeviceListItem => ({
  id: `${c.address}:${c.port}`.slice(0, 64),
  name: (c.model || c.address).slice(0, 128),
  values: {
    address: c.address,
    port: c.port,
    protocol: c.protocol,
    serial: c.serial,
    mac: c.mac,
    activated: c.activated,
  },
});

async function asItems<T>(read: Promise<Result<T[]>>, item: (one: T) => DeviceListItem) {
  const result = await read;
  return result.ok ? { ok: true as const, value: result.value.map(item) } : result;
}

/** The cameras of a recorder: listing, adding, changing, sorting (isapi.md §8; CHAN-03, CHAN-04, CHAN-09, CHAN-10). */
export const recorderChannels: Feature<IsapiDevice> = {
  async offer(device, signal) {
    if (!device.info.recorder) return {};
    const there = await readRecorderChannels(device, signal);
    if (!there.ok) return {};
    const offer: Required<Pick<Offer, 'lists' | 'actions' | 'unverified'>> = {
      lists: [{ list: 'recorderChannels', channels: null }],
      actions: [{ action: 'channelAdd', channels: null }],
      unverified: ['channelAdd', 'channelEdit', 'channelDelete'],
    };
    if (await device.has(`${PROXY}/search`, signal)) {
      offer.lists.push({ list: 'camerasSeen', channels: null });
      offer.unverified.push('camerasSeen');
    }
    // What is at a socket of its own the recorder looks after itself.
    const own = there.value.filter((c) => !c.plugAndPlay).map((c) => c.channel);
    if (own.length > 0) {
      offer.actions.push({ action: 'channelEdit', channels: own }, { action: 'channelDelete', channels: own });
    }
    const poe = await isPoeRecorder(device, signal);
    if (own.length > 1 && own.length === there.value.length && poe.ok && !poe.value) {
      offer.actions.push({ action: 'channelsSort', channels: null });
      offer.unverified.push('channelsSort');
    }
    return offer;
  },
  lists: {
    recorderChannels: (device, _at, signal) => asItems(readRecorderChannels(device, signal), channelItem),
    camerasSeen: (device, _at, signal) => asItems(readCamerasSeen(device, signal), cameraItem),
  },
  actions: {
    async channelAdd(device, camera, signal) {
      const added = await addChannel(device, camera, signal);
      if (!added.ok) return added;
      const { channel, fault } = added.value;
      return done(`Channel ${channel}${fault ? `: ${fault}` : ''}`);
    },
    async channelEdit(device, edit, signal) {
      const edited = await editChannel(device, edit, signal);
      if (!edited.ok) return edited;
      const { fault, rebootRequired } = edited.value;
      return done([fault, rebootRequired ? RESTART : null].filter(Boolean).join(' ') || null);
    },
    async channelDelete(device, { channel }, signal) {
      const deleted = await deleteChannel(device, channel, signal);
      return deleted.ok ? done() : deleted;
    },
    async channelsSort(device, { order, password }, signal) {
      const sorted = await sortChannels(device, order, password, signal);
      return sorted.ok ? done(sorted.value.rebootRequired ? RESTART : null) : sorted;
    },
  },
};
