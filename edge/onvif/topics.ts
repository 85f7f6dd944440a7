import type { EventType } from '../../protocol/wire/event.ts';
import { clean } from '../isapi/xml.ts';
import { booleanOf, simpleItems } from './soap.ts';
import { all, attribute, below, type Element, first, textAt } from './tree.ts';

/** One NotificationMessage. Item names in lower case. */
export interface Notification {
  /** Local names, as `['VideoSource', 'MotionAlarm']`. */
  topic: string[];
  operation: 'initialized' | 'changed' | 'deleted';
  deviceTime: string | null;
  source: Map<string, string>;
  data: Map<string, string>;
}
/** What it means to an alarm: a state that holds until it is taken back, or a moment (`pulse`). */
export interface Meaning {
  type: EventType;
  word: string;
  state: boolean | 'pulse' | 'gone';
}

const MAX_TOPIC_CHARS = 512;

/** Null for what is no message: it says nothing, and harms nothing. */
export function readNotification(element: Element): Notification | null {
  const topic = topicOf(textAt(element, 'Topic'));
  const message = below(first(element, 'Message'), 'Message')[0] ?? first(element, 'Message');
  if (topic.length === 0 || !message) return null;
  const operation = attribute(message, 'PropertyOperation').toLowerCase();
  const time = clean(attribute(message, 'UtcTime'), 64);
  const [source, key] = [simpleItems(first(message, 'Source')), simpleItems(first(message, 'Key'))];
  return {
    topic,
    operation: operation === 'initialized' || operation === 'deleted' ? operation : 'changed',
    deviceTime: time === '' || time.startsWith('0000') ? null : time,
    source: new Map([...source, ...key]),
    data: simpleItems(first(message, 'Data')),
  };
}

/** Without prefixes, blanks and the slashes and dots that some put at its end. */
function topicOf(written: string): string[] {
  if (written.length > MAX_TOPIC_CHARS) return [];
  const segments = written
    .trim()
    .replace(/[/.\s]+$/, '')
    .split('/')
    .map((segment) => clean(segment.replace(/^[^:]*:/, ''), 64))
    .filter((segment) => segment !== '');
  return segments.length > 8 ? [] : segments;
}

type Rule = [topic: RegExp, type: EventType | 'ignore', more?: { items?: string[]; pulse?: true; present?: string }];

/**
 * The first that fits counts. Topics in lower case. `items`: those that carry the state, where more are there; `present`: one
 * that carries it by being empty or not.
 */
const RULES: Rule[] = [
  [/^(recordingconfig|mediacontrol|media|configuration|monitoring|usermanagement|ptz\w*|advancedsecurity)\//, 'ignore'],
  [/^device\/(operatingtime|trigger\/relay|network|configuration)\b/, 'ignore'],
  [/^ruleengine\/(countaggregation|recognition)\b/, 'ignore'],
  [/^videosource\/motionalarm\b/, 'motion'],
  [/^ruleengine\/(cellmotiondetector|motionregiondetector|motiondetector)\/motion\b/, 'motion'],
  [/\/vmd\d*(\/|$)|\/motiondetect/, 'motion'],
  [/^ruleengine\/linedetector\/crossed\b/, 'lineCrossing', { pulse: true }],
  [/linecross|linedetect/, 'lineCrossing'],
  [/^ruleengine\/fielddetector\/objectsinside\b|\/intrusion\b/, 'intrusion'],
  [/tamper|globalscenechange|imagetoo(blurry|dark|bright)/, 'tamper'],
  [/^videosource\/(signalloss|videoloss|signallost)\b/, 'videoLoss'],
  [/^device\/trigger\/digitalinput\b/, 'alarmInput', { items: ['logicalstate', 'state'] }],
  [/storagefailure|diskerror|harddiskfailure/, 'diskError'],
  [/storagefull|diskfull/, 'diskFull'],
  [/illegalaccess|illegallogin|loginfail/, 'illegalLogin'],
  [/\/tpsmartevent/, 'motion'],
  [/\/(visitor|doorbell\w*|ring)$/, 'call', { pulse: true }],
  [/\/face(detect|detection|detector)?(\/|$)/, 'faceDetection'],
  [/\/pir\w*$/, 'pirDetected'],
  [/(people|person|human|vehicle|dogcat|pet|animal)(detect|shapedetect|detector|detection)?(\/|$)/, 'motion'],
  [/\/objectanalytics(\/|$)|\/objectdetect(ion|or)(\/|$)/, 'motion', { present: 'classtypes' }],
  [/^(ruleengine|useralarm|videosource|videoanalytics|audioanalytics|audiosource)\//, 'other'],
  [/^device\/(hardwarefailure|trigger)\//, 'other'],
];
/** Smart events of one topic tell by their item what they are. */
const BY_ITEM: Record<string, EventType> = {
  islinecross: 'lineCrossing',
  isintrusion: 'intrusion',
  istamper: 'tamper',
  ispeople: 'motion',
  isvehicle: 'motion',
  ispet: 'motion',
  ring: 'call',
  camerabellbutton: 'call',
};
const STATE =
  /^(state|logicalstate|active|motion|alarm|value|detected|failed|failure|critical|ring|camerabellbutton|is[a-z]+)$/;

const ruleOf = (topic: string[]): Rule | undefined => {
  const path = topic.join('/').toLowerCase();
  return RULES.find(([pattern]) => pattern.test(path));
};

/** What kind of event a topic is about; null: none that matters. */
export function typeOf(topic: string[]): EventType | null {
  const type = ruleOf(topic)?.[1] ?? 'ignore';
  return type === 'ignore' ? null : type;
}

/** What a message says; null when it says nothing that an alarm system acts on, or says it so that it cannot be read. */
export function meaningOf({ topic, operation, data }: Notification): Meaning | null {
  const rule = ruleOf(topic);
  if (!rule || rule[1] === 'ignore') return null;
  const [, named, more] = rule;
  const states = [...data].flatMap(([name, value]) => {
    const fits = more?.items ? more.items.includes(name) : STATE.test(name);
    const state = fits ? booleanOf(value) : null;
    return state === null ? [] : [{ name, state }];
  });
  const telling = states.find((s) => s.state) ?? states[0];
  const type = (telling && BY_ITEM[telling.name]) || named;
  const word = clean(topic.slice(-2).join('/'), 64);
  if (operation === 'deleted') return { type, word, state: 'gone' };
  if (telling) return { type, word, state: telling.state };
  const present = more?.present ? data.get(more.present) : undefined;
  if (present !== undefined) return { type, word, state: present.trim() !== '' };
  return more?.pulse ? { type, word, state: 'pulse' } : null;
}

/** The messages of a PullMessages or Notify answer. */
export const messagesOf = (response: Element): Element[] => all(response, 'NotificationMessage');
