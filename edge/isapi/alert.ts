import type { EventType } from '../../protocol/wire/event.ts';
import { document } from './answer.ts';
import type { Part } from './multipart.ts';
import { clean, sniff, text, type XmlNode } from './xml.ts';

/** One alert of a device, in our words. */
export interface Alert {
  type: EventType;
  /** The device's own word. */
  word: string;
  active: boolean;
  /** As the device counts; null for what concerns the whole device. */
  channel: number | null;
  /** How often this event was posted so far, where the device says. */
  count: number | null;
  deviceTime: string | null;
  /** The device's own identifier of the event. */
  ref: string | null;
}

/** Spellings in use, lower case (isapi.md §10); what is missing here becomes `other`. */
const TYPES: Record<string, EventType> = {
  vmd: 'motion',
  motiondetection: 'motion',
  vmdhumanvehicle: 'motion',
  linedetection: 'lineCrossing',
  fielddetection: 'intrusion',
  regionentrance: 'regionEntrance',
  regionexiting: 'regionExiting',
  shelteralarm: 'tamper',
  tamperdetection: 'tamper',
  scenechangedetection: 'tamper',
  videoloss: 'videoLoss',
  io: 'alarmInput',
  // A detector of the camera, wired or built in: it stands for an alarm input.
  pir: 'alarmInput',
  diskerror: 'diskError',
  diskfull: 'diskFull',
  illaccess: 'illegalLogin',
};

const IDS = ['UUID', 'uuid', 'eventId', 'eventID'];

/**
 * Reads one part. `ignore`: a heartbeat, a picture, a replay from the device's backlog; `unreadable`: a document that is
 * none. Sign of life is `heartBeat`, or `videoloss` that is inactive, which {@link EventFolder} needs to see.
 */
export function readAlert(part: Part): Alert | 'ignore' | 'unreadable' {
  const kind = sniff(part.body);
  if (kind === 'jpeg' || /^(image|video|audio)\//.test(part.contentType)) return 'ignore';
  const node = document(part.body, 'EventNotificationAlert');
  if (!node)
    return kind === 'xml' && /<SubscribeEventResponse/.test(part.body.toString('latin1')) ? 'ignore' : 'unreadable';
  let word = text(node, 'eventType');
  if (/^duration$/i.test(word)) word = text(node, 'DurationList', 'Duration', 'relationEvent') || word;
  if (word === '') return 'unreadable';
  if (/^heartbeat$/i.test(word) || isBacklog(node)) return 'ignore';
  const type = TYPES[word.toLowerCase()] ?? 'other';
  return {
    type,
    word: clean(word, 64),
    active: !/^inactive$/i.test(text(node, 'eventState')),
    channel: channelOf(node, type),
    count: whole(text(node, 'activePostCount')),
    deviceTime: clean(text(node, 'dateTime'), 64) || null,
    ref: IDS.map((name) => clean(text(node, name), 128)).find((id) => id !== '') ?? null,
  };
}

/** Access devices replay what they held while nobody listened. */
const isBacklog = (node: XmlNode): boolean =>
  /^false$/i.test(text(node, 'AccessControllerEvent', 'currentEvent')) ||
  /^true$/i.test(text(node, 'isDataRetransmission'));

function channelOf(node: XmlNode, type: EventType): number | null {
  const names =
    type === 'alarmInput'
      ? ['inputIOPortID', 'dynInputIOPortID', 'channelID', 'dynChannelID']
      : ['channelID', 'dynChannelID', 'videoInputChannelID', 'dynVideoInputChannelID'];
  const found = names.map((name) => whole(text(node, name))).find((n) => n !== null && n > 0 && n <= 9999);
  return found ?? null;
}

const whole = (written: string): number | null => (/^\d{1,9}$/.test(written) ? Number(written) : null);

/**
 * The channel as streams and people count it: on recorders 33 and up mean IP channel number minus 32, unless the number
 * itself is the only one of the two that exists.
 */
export function videoChannel(channel: number | null, recorder: boolean, known: number[]): number | null {
  if (channel === null || !recorder || channel < 33) return channel;
  return known.includes(channel) && !known.includes(channel - 32) ? channel : channel - 32;
}
