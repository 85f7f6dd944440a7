import type { EventType } from '../../protocol/wire/event.ts';
import { readAccessEvent, readTalkEvent } from './access-event.ts';
import { document } from './answer.ts';
import { readCidEvent } from './cid-event.ts';
import type { Part } from './multipart.ts';
import { clean, sniff, text, type XmlNode } from './xml.ts';
import { scanXml } from './xml-scan.ts';

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
  /** Who or what, as the device says. */
  text?: string | null;
  /** A panel's Contact ID and area ({@link Event}). */
  cid?: string;
  area?: number;
  /** With `active` false: everything of these types on this channel is over. */
  sweep?: readonly EventType[];
  /** Known by asking and not by an event: one of these types that is open there already is the same. */
  assumed?: readonly EventType[];
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
  pir: 'pirDetected',
  facedetection: 'faceDetection',
  facesnap: 'faceDetection',
  facecapture: 'faceDetection',
  diskerror: 'diskError',
  diskfull: 'diskFull',
  illaccess: 'illegalLogin',
};

/** The event type that a device's own word stands for. */
export const eventTypeOf = (word: string): EventType => TYPES[word.trim().toLowerCase()] ?? 'other';

/** Of care and fall radars; no capture shows their spelling, so anything that says it counts. */
const RADAR_WORDS: [RegExp, EventType][] = [
  [/fall/, 'fallDetected'],
  [/out_?of_?bed|(leav|off|exit)\w*bed|bed\w*(leav|exit)/, 'outOfBed'],
  [/heart_?(rate|beat)\w*(low|under|below)/, 'heartRateLow'],
  [/heart_?rate|heart_?beat\w*(high|over|above|abnormal)/, 'heartRateHigh'],
  [/(respirat|breath)\w*(low|under|below)/, 'respirationLow'],
  [/respirat|breath/, 'respirationHigh'],
  [/presence|existence/, 'presence'],
];

const IDS = ['UUID', 'uuid', 'eventId', 'eventID'];

/**
 * Reads one part. `ignore`: a heartbeat, a picture, a replay from the device's backlog; `unreadable`: a document that is
 * none. Sign of life is `heartBeat`, or `videoloss` that is inactive, which {@link EventFolder} needs to see.
 */
export function readAlert(part: Part): Alert | 'ignore' | 'unreadable' {
  const kind = sniff(part.body);
  if (kind === 'jpeg' || /^(image|video|audio)\//.test(part.contentType)) return 'ignore';
  // The reader of documents forgives a wrong end tag; an alarm out of pieces of two would be nobody's.
  const complete = kind !== 'xml' || scanXml(part.body.toString('utf8')) !== null;
  const node = complete ? document(part.body, 'EventNotificationAlert') : null;
  if (!node)
    return kind === 'xml' && /<SubscribeEventResponse/.test(part.body.toString('latin1')) ? 'ignore' : 'unreadable';
  let word = text(node, 'eventType');
  if (/^duration$/i.test(word)) word = text(node, 'DurationList', 'Duration', 'relationEvent') || word;
  if (word === '') return 'unreadable';
  if (/^heartbeat$/i.test(word) || isBacklog(node)) return 'ignore';
  const lower = word.toLowerCase();
  if (lower === 'cidevent') return readCidEvent(node);
  if (lower === 'accesscontrollerevent') return readAccessEvent(node);
  if (lower === 'voicetalkevent' || lower === 'videointercomevent') return readTalkEvent(node);
  const type = TYPES[lower] ?? radarType(node, lower) ?? 'other';
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

/** What a radar says, in its event's word or in the words beside it. */
function radarType(node: XmlNode, word: string): EventType | undefined {
  const beside = ['eventDescription', 'alarmType', 'subEventType'].map((name) => text(node, name)).join('_');
  const said = `${word}_${/^(.*radar|.*(heart|respirat|breath).*)$/.test(word) ? beside : ''}`
    .slice(0, 256)
    .toLowerCase()
    .replace(/[\s-]/g, '_');
  return RADAR_WORDS.find(([pattern]) => pattern.test(said))?.[1];
}

/** Access devices replay what they held while nobody listened. */
const isBacklog = (node: XmlNode): boolean =>
  /^false$/i.test(text(node, 'AccessControllerEvent', 'currentEvent')) ||
  /^false$/i.test(text(node, 'VoiceTalkEvent', 'currentEvent')) ||
  /^true$/i.test(text(node, 'isDataRetransmission'));

function channelOf(node: XmlNode, type: EventType): number | null {
  const names =
    type === 'alarmInput' || type === 'pirDetected'
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
