import type { EventAt, LabEventType } from '../isapi/event-words.ts';
import { escapeXml, textOf, type XmlNode } from '../isapi/xml.ts';
import { duration, Fault, type OnvifOdd } from './soap.ts';

interface State {
  topic: string;
  source: string;
  token: string;
  name: string;
  value: string;
}
interface Subscription {
  id: number;
  until: number;
  queue: string[];
  wake: (() => void) | null;
}

const TOPICS: Partial<Record<LabEventType, [topic: string, source: string, name: string][]>> = {
  // One movement, two topics.
  motion: [
    ['tns1:VideoSource/MotionAlarm', 'Source', 'State'],
    ['tns1:RuleEngine/CellMotionDetector/Motion', 'VideoSourceConfigurationToken', 'IsMotion'],
  ],
  tamper: [['tns1:RuleEngine/TamperDetector/Tamper', 'VideoSourceConfigurationToken', 'IsTamper']],
  intrusion: [['tns1:RuleEngine/FieldDetector/ObjectsInside', 'VideoSourceConfigurationToken', 'IsInside']],
  lineCrossing: [['tns1:RuleEngine/LineDetector/Crossed', 'VideoSourceConfigurationToken', 'ObjectId']],
  videoLoss: [['tns1:VideoSource/SignalLoss', 'Source', 'State']],
  sceneChange: [['tns1:VideoSource/GlobalSceneChange/ImagingService', 'Source', 'State']],
  audioException: [['tns1:AudioAnalytics/Audio/DetectedSound', 'AudioSourceConfigurationToken', 'IsSoundDetected']],
  alarmInput: [['tns1:Device/Trigger/DigitalInput', 'InputToken', 'LogicalState']],
  diskError: [['tns1:Device/HardwareFailure/StorageFailure', 'Token', 'Failed']],
};

/** Pull points of one camera (onvif §4): few, and gone when they are not renewed. */
export class PullPoints {
  static readonly max = 4;
  readonly #odd: () => OnvifOdd;
  readonly #url: (path: string) => string;
  readonly #states = new Map<string, State>();
  readonly #subscriptions = new Map<number, Subscription>();
  #lastId = 0;
  created = 0;

  constructor(odd: () => OnvifOdd, url: (path: string) => string) {
    this.#odd = odd;
    this.#url = url;
    this.#set('tns1:VideoSource/MotionAlarm', 'Source', 'VideoSource_1', 'State', 'false');
  }

  get count(): number {
    this.#expire();
    return this.#subscriptions.size;
  }
  stop(): void {
    for (const s of this.#subscriptions.values()) s.wake?.();
    this.#subscriptions.clear();
  }

  event(type: LabEventType, active: boolean, at: EventAt): void {
    if (!active && this.#odd().pulsesOnly) return;
    for (const [topic, source, name] of TOPICS[type] ?? []) {
      if (name === 'ObjectId' && !active) continue;
      const token = source === 'InputToken' ? `DigitalInput_${at.channel}` : `VideoSource_${at.channel}`;
      this.publish(topic, source, token, name, name === 'ObjectId' ? '17' : String(active));
    }
  }

  publish(topic: string, source: string, token: string, name: string, value: string): void {
    const state = this.#set(topic, source, token, name, value);
    for (const s of this.#subscriptions.values()) {
      s.queue.push(this.#message(state, 'Changed'));
      if (s.queue.length > 100) s.queue.shift();
      s.wake?.();
    }
  }

  create(operation: XmlNode): string {
    this.#expire();
    const wanted = textOf(operation, 'InitialTerminationTime');
    const odd = this.#odd();
    if (wanted === null && odd.initialTerminationRequired)
      throw new Fault('InvalidArgVal', 'InitialTerminationTime', 500);
    if (this.#subscriptions.size >= PullPoints.max) throw new Fault('InvalidArgVal', 'too many subscriptions', 500);
    const id = ++this.#lastId;
    this.created++;
    const s: Subscription = { id, until: this.#until(wanted), queue: [], wake: null };
    for (const state of this.#states.values()) s.queue.push(this.#message(state, 'Initialized'));
    this.#subscriptions.set(id, s);
    const reference = odd.referenceParameters
      ? `<wsa:Address>${this.#url('/onvif/subscription')}</wsa:Address><wsa:ReferenceParameters><dom0:SubscriptionId xmlns:dom0="http://www.axis.com/2009/event">${id}</dom0:SubscriptionId></wsa:ReferenceParameters>`
      : `<wsa:Address>${this.#url(`/onvif/subscription?Idx=${id}`)}</wsa:Address>`;
    return `<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference>${reference}</tev:SubscriptionReference>${this.#times(s)}</tev:CreatePullPointSubscriptionResponse>`;
  }

  /** An operation on the subscription that the header or the address names. */
  async answer(operation: XmlNode, header: XmlNode | null, index: string | null): Promise<string> {
    this.#expire();
    const id = Number(this.#odd().referenceParameters ? header && textOf(header, 'SubscriptionId') : index);
    const s = this.#subscriptions.get(id);
    if (!s) throw new Fault('InvalidArgVal', 'ResourceUnknownFault');
    switch (operation.name) {
      case 'PullMessages': {
        const waits = Math.min(duration(textOf(operation, 'Timeout') ?? '') ?? 5000, 60_000);
        const limit = Math.max(1, Number(textOf(operation, 'MessageLimit') ?? 10));
        if (s.queue.length === 0)
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, waits);
            s.wake = () => {
              clearTimeout(timer);
              resolve();
            };
          });
        s.wake = null;
        return `<tev:PullMessagesResponse>${this.#times(s, 'tev')}${s.queue.splice(0, limit).join('')}</tev:PullMessagesResponse>`;
      }
      case 'Renew':
        if (this.#odd().renew400) throw new Fault('ActionNotSupported', 'Renew', 400);
        s.until = this.#until(textOf(operation, 'TerminationTime'));
        return `<wsnt:RenewResponse>${this.#times(s)}</wsnt:RenewResponse>`;
      case 'Unsubscribe':
        s.wake?.();
        this.#subscriptions.delete(id);
        return '<wsnt:UnsubscribeResponse/>';
      case 'SetSynchronizationPoint':
        for (const state of this.#states.values()) s.queue.push(this.#message(state, 'Initialized'));
        s.wake?.();
        return '<tev:SetSynchronizationPointResponse/>';
      default:
        throw new Fault('ActionNotSupported', operation.name);
    }
  }

  properties(): string {
    const topics = `<tns1:VideoSource><MotionAlarm wstop:topic="true"/></tns1:VideoSource><tns1:RuleEngine><CellMotionDetector><Motion wstop:topic="true"/></CellMotionDetector></tns1:RuleEngine><tns1:Device><Trigger><DigitalInput wstop:topic="true"/><Relay wstop:topic="true"/></Trigger></tns1:Device>`;
    return `<tev:GetEventPropertiesResponse><wsnt:FixedTopicSet>true</wsnt:FixedTopicSet><wstop:TopicSet>${topics}</wstop:TopicSet></tev:GetEventPropertiesResponse>`;
  }

  #now(): number {
    return Date.now() + this.#odd().clockAheadMs;
  }

  #until(wanted: string | null): number {
    const lasts = wanted === null ? 60_000 : (duration(wanted) ?? Date.parse(wanted) - this.#now());
    return Date.now() + Math.min(Math.max(Number.isFinite(lasts) ? lasts : 60_000, 1000), 600_000);
  }

  #times(s: Subscription, prefix = 'wsnt'): string {
    const ahead = this.#odd().clockAheadMs;
    const at = (ms: number) => new Date(ms + ahead).toISOString().replace(/\.\d+/, '');
    return `<${prefix}:CurrentTime>${at(Date.now())}</${prefix}:CurrentTime><${prefix}:TerminationTime>${at(s.until)}</${prefix}:TerminationTime>`;
  }

  #set(topic: string, source: string, token: string, name: string, value: string): State {
    const state = { topic, source, token, name, value };
    this.#states.set(`${topic} ${token}`, state);
    return state;
  }

  #message(s: State, operation: string): string {
    const at = new Date(this.#now()).toISOString().replace(/\.\d+/, '');
    // Blanks around the topic, as one maker writes it.
    const topic = this.#odd().pulsesOnly ? `\n ${s.topic}/ ` : s.topic;
    return `<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">${topic}</wsnt:Topic><wsnt:Message><tt:Message UtcTime="${at}" PropertyOperation="${operation}"><tt:Source><tt:SimpleItem Name="${s.source}" Value="${escapeXml(s.token)}"/></tt:Source><tt:Data><tt:SimpleItem Name="${s.name}" Value="${s.value}"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`;
  }

  #expire(): void {
    for (const s of this.#subscriptions.values())
      if (s.until < Date.now()) {
        s.wake?.();
        this.#subscriptions.delete(s.id);
      }
  }
}

export const isSubscription = (operation: XmlNode): boolean =>
  ['PullMessages', 'Renew', 'Unsubscribe', 'SetSynchronizationPoint'].includes(operation.name);
