import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { NewRecord } from '../../protocol/wire/event.ts';
import type { Alert } from '../isapi/alert.ts';
import { EventFolder } from '../isapi/fold.ts';
import { EventStates } from './states.ts';
import { message } from './testing/documents.ts';
import { meaningOf, readNotification } from './topics.ts';
import { parseTree } from './tree.ts';

const of = (...args: Parameters<typeof message>) => readNotification(parseTree(message(...args))!)!;
const meaning = (...args: Parameters<typeof message>) => meaningOf(of(...args));

describe('topics', () => {
  it.each([
    ['tns1:VideoSource/MotionAlarm', { State: 'true' }, 'motion', true],
    ['tns1:RuleEngine/CellMotionDetector/Motion', { IsMotion: ' 1 ' }, 'motion', true],
    ['  x:RuleEngine / CellMotionDetector / Motion//. ', { IsMotion: 'False' }, 'motion', false],
    ['RuleEngine/MotionRegionDetector/Motion', { State: '1' }, 'motion', true],
    ['tns1:RuleEngine/tnsaxis:VMD3/vmd3_video_1', { areaid: '0', active: '1' }, 'motion', true],
    ['tns1:RuleEngine/FieldDetector/ObjectsInside', { IsInside: 'true' }, 'intrusion', true],
    ['tns1:RuleEngine/LineDetector/Crossed', { ObjectId: '15' }, 'lineCrossing', 'pulse'],
    ['tns1:RuleEngine/TPSmartEventDetector/TPSmartEvent', { IsPeople: 'true' }, 'motion', true],
    ['tns1:RuleEngine/CellMotionDetector/LineCross', { IsLineCross: 'true' }, 'lineCrossing', true],
    ['tns1:RuleEngine/MyRuleDetector/PeopleDetect', { State: 'true' }, 'motion', true],
    ['tns1:RuleEngine/MyRuleDetector/Visitor', { State: 'true' }, 'call', true],
    ['tns1:UserAlarm/IVA/HumanShapeDetect', { State: 'true' }, 'motion', true],
    ['tns1:VideoSource/GlobalSceneChange/ImagingService', { State: 'true' }, 'tamper', true],
    ['tns1:VideoSource/ImageTooDark/AnalyticsService', { State: 'true' }, 'tamper', true],
    ['tns1:RuleEngine/TamperDetector/Tamper', { IsTamper: 'true' }, 'tamper', true],
    ['tns1:VideoSource/SignalLoss', { State: 'true' }, 'videoLoss', true],
    ['tns1:Device/Trigger/DigitalInput', { LogicalState: 'true' }, 'alarmInput', true],
    ['tns1:Device/HardwareFailure/StorageFailure', { Failed: 'true' }, 'diskError', true],
    ['tnsaxis:CameraApplicationPlatform/ObjectAnalytics/Device1Scenario1', { active: '1' }, 'motion', true],
    ['tnsaxis:CameraApplicationPlatform/VMD/Camera1Profile1', { active: '1' }, 'motion', true],
    ['tns1:RuleEngine/ObjectDetection/Object', { ClassTypes: 'Human' }, 'motion', true],
    ['tns1:RuleEngine/ObjectDetection/Object', { ClassTypes: '' }, 'motion', false],
    ['tns1:AudioAnalytics/Audio/DetectedSound', { IsSoundDetected: 'true' }, 'other', true],
  ] as const)('%s', (topic, data, type, state) => {
    expect(meaning(topic, { data: { ...data } })).toMatchObject({ type, state });
  });

  it.each([
    ['tns1:Device/Trigger/Relay', { LogicalState: 'active' }],
    // Its own outputs as well.
    ['tns1:Device/tnsaxis:IO/Port', { state: '1' }],
    ['tns1:Monitoring/ProcessorUsage', { Value: '1' }],
    ['tns1:RecordingConfig/JobState', { State: 'true' }],
    ['tns1:Device/OperatingTime/LastReboot', { Status: 'true' }],
    ['tns1:RuleEngine/CountAggregation/Counter', { Count: '1' }],
    ['tns1:VideoSource/MotionAlarm', { State: 'perhaps' }],
    ['tns1:VideoSource/MotionAlarm', {}],
    ['tns1:Something/New', { State: 'true' }],
    ['a/b/c/d/e/f/g/h/i', { State: 'true' }],
  ])('%s %j makes no event', (topic, data) => {
    expect(readNotification(parseTree(message(topic, { data }))!) && meaning(topic, { data })).toBeNull();
  });

  it('takes a time that is none as none, and a missing operation as a change', () => {
    expect(of('a:b/c', { at: '0000-00-00T00:00:00Z', op: null })).toMatchObject({
      deviceTime: null,
      operation: 'changed',
    });
    expect(readNotification(parseTree('<NotificationMessage><Topic/></NotificationMessage>')!)).toBeNull();
  });
});

describe('properties', () => {
  let clock: ManualClock;
  let states: EventStates;
  let alerts: Alert[];
  let records: NewRecord[];
  const say = (...args: Parameters<typeof message>) => {
    const notification = of(...args);
    const said = meaningOf(notification);
    if (said) states.take(notification, said, 1);
  };
  const motion = (state: string, op = 'Changed', topic = 'tns1:VideoSource/MotionAlarm') =>
    say(topic, { op, data: { State: state, IsMotion: state } });
  const count = (kind: string) => records.filter((r) => r.kind === kind).length;

  beforeEach(() => {
    clock = new ManualClock();
    alerts = [];
    records = [];
    const fold = new EventFolder({
      deviceId: '018f2f00-0000-7000-8000-000000000001',
      clock,
      emit: (r) => records.push(...r),
    });
    const onAlert = (alert: Alert) => {
      alerts.push(alert);
      fold.alert(alert, alert.channel);
    };
    states = new EventStates({ clock, onAlert });
  });

  it('makes no event of how things were before (Initialized)', async () => {
    motion('true', 'Initialized');
    await clock.advance(5_000);
    motion('false', 'Initialized');
    expect(records).toEqual([]);
    expect(alerts).toEqual([]);
  });

  it('holds a property until it falls back, for minutes if it takes minutes', async () => {
    motion('true');
    motion('false');
    expect([count('event'), count('eventEnd')]).toEqual([1, 1]);
    motion('true');
    await clock.advance(180_000);
    expect([count('event'), count('eventEnd')]).toEqual([2, 1]);
    motion('false');
    expect([count('event'), count('eventEnd')]).toEqual([2, 2]);
    expect(alerts.at(-1)?.active).toBe(false);
  });

  it('ends what never falls back after half a minute, and repeats go on with the same event', async () => {
    motion('true');
    await clock.advance(20_000);
    motion('true');
    await clock.advance(29_000);
    expect([count('event'), count('eventEnd')]).toEqual([1, 0]);
    await clock.advance(3_000);
    expect([count('event'), count('eventEnd')]).toEqual([1, 1]);
    await clock.advance(60_000);
    expect(records).toHaveLength(2);
  });

  it('makes one event of the same thing said under several topics', async () => {
    motion('true');
    motion('true', 'Changed', 'tns1:RuleEngine/CellMotionDetector/Motion');
    say('tns1:RuleEngine/MyRuleDetector/PeopleDetect', { data: { State: 'true' } });
    motion('false');
    await clock.advance(2_000);
    expect([count('event'), count('eventEnd')]).toEqual([1, 0]);
    motion('false', 'Changed', 'tns1:RuleEngine/CellMotionDetector/Motion');
    say('tns1:RuleEngine/MyRuleDetector/PeopleDetect', { op: 'Deleted', data: { State: 'true' } });
    expect([count('event'), count('eventEnd')]).toEqual([1, 1]);
  });

  it('takes a moment for an event that ends by itself', async () => {
    say('tns1:RuleEngine/LineDetector/Crossed', { data: { ObjectId: '1' } });
    await clock.advance(15_000);
    say('tns1:RuleEngine/LineDetector/Crossed', { data: { ObjectId: '2' } });
    await clock.advance(15_000);
    expect([count('event'), count('eventEnd')]).toEqual([2, 2]);
  });

  it('does not hear what is said a thousand times', async () => {
    for (let i = 0; i < 1_000; i++) motion('false');
    expect(records).toEqual([]);
    motion('true');
    await clock.advance(700_000);
    expect([count('event'), count('eventEnd')]).toEqual([1, 1]);
  });

  it('stops by itself', async () => {
    motion('true');
    states.stop();
    await clock.advance(10_000);
    expect([count('event'), count('eventEnd')]).toEqual([1, 1]);
  });
});
