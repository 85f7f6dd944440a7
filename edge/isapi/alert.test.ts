import { describe, expect, it } from 'vitest';
import { readAlert, videoChannel } from './alert.ts';

const read = (inner: string, contentType = 'application/xml') =>
  readAlert({
    contentType,
    body: Buffer.from(
      `<EventNotificationAlert version="1.0" xmlns="urn:psialliance-org">${inner}</EventNotificationAlert>`,
    ),
  });
const json = (value: unknown) =>
  readAlert({ contentType: 'application/json', body: Buffer.from(JSON.stringify(value)) });

describe('an alert', () => {
  it('is read from XML', () => {
    expect(
      read(
        '<ipAddress>10.0.0.1</ipAddress><dynChannelID>6</dynChannelID><dateTime>2026-05-18T20:21:00+02:00</dateTime><activePostCount>2</activePostCount><eventType>fieldDetection</eventType><eventState>active</eventState><DetectionRegionList><DetectionRegionEntry><regionID></regionID></DetectionRegionEntry></DetectionRegionList><channelName></channelName>',
      ),
    ).toEqual({
      type: 'intrusion',
      word: 'fieldDetection',
      active: true,
      channel: 6,
      count: 2,
      deviceTime: '2026-05-18T20:21:00+02:00',
      ref: null,
    });
  });

  it('is read from JSON', () => {
    expect(
      json({ channelID: 3, activePostCount: 1, eventType: 'VMD', eventState: 'active', uuid: 'a-1' }),
    ).toMatchObject({
      type: 'motion',
      channel: 3,
      count: 1,
      ref: 'a-1',
    });
  });

  it.each([
    ['VMD', 'motion'],
    ['vmdHumanVehicle', 'motion'],
    ['linedetection', 'lineCrossing'],
    ['regionEntrance', 'regionEntrance'],
    ['REGIONEXITING', 'regionExiting'],
    ['shelteralarm', 'tamper'],
    ['tamperdetection', 'tamper'],
    ['videoloss', 'videoLoss'],
    ['IO', 'alarmInput'],
    ['PIR', 'pirDetected'],
    ['facedetection', 'faceDetection'],
    ['fallDetection', 'fallDetected'],
    ['leaveBed', 'outOfBed'],
    ['heartRateLow', 'heartRateLow'],
    ['respirationTooHigh', 'respirationHigh'],
    ['diskfull', 'diskFull'],
    ['illAccess', 'illegalLogin'],
    ['thermometry', 'other'],
  ])('%s is %s, in any case (RADR-02, RADR-03, LINK-20)', (word, type) => {
    expect(read(`<eventType>${word}</eventType><eventState>active</eventState>`)).toMatchObject({ type, word });
  });

  it('takes the real type of a duration, and the input of an IO alarm', () => {
    expect(
      read(
        '<eventType>duration</eventType><DurationList><Duration><relationEvent>linedetection</relationEvent></Duration></DurationList>',
      ),
    ).toMatchObject({ type: 'lineCrossing' });
    expect(read('<eventType>IO</eventType><channelID>1</channelID><inputIOPortID>4</inputIOPortID>')).toMatchObject({
      channel: 4,
    });
    expect(read('<eventType>diskfull</eventType><channelID>0</channelID>')).toMatchObject({ channel: null });
  });

  it('is none: heartbeats, pictures, backlog', () => {
    expect(read('<eventType>heartBeat</eventType><eventState>active</eventState>')).toBe('ignore');
    expect(readAlert({ contentType: 'image/jpeg', body: Buffer.from('x') })).toBe('ignore');
    expect(readAlert({ contentType: '', body: Buffer.from([0xff, 0xd8, 0xff]) })).toBe('ignore');
    expect(json({ eventType: 'AccessControllerEvent', AccessControllerEvent: { currentEvent: false } })).toBe('ignore');
    expect(
      readAlert({ contentType: '', body: Buffer.from('<SubscribeEventResponse><id>1</id></SubscribeEventResponse>') }),
    ).toBe('ignore');
  });

  it('is unreadable when it is cut off or says nothing', () => {
    expect(
      readAlert({ contentType: 'application/xml', body: Buffer.from('<EventNotificationAlert><eventType>VMD</ev') }),
    ).toBe('unreadable');
    expect(read('<channelID>1</channelID>')).toBe('unreadable');
    expect(readAlert({ contentType: '', body: Buffer.from('{"eventType":') })).toBe('unreadable');
    expect(readAlert({ contentType: 'application/xml', body: Buffer.from('<html></html>') })).toBe('unreadable');
  });
});

it('is none when the document is no whole one: pieces of two make no event', () => {
  expect(read('<eventType>VMD</eventType><channelID>1</channelID>')).toMatchObject({ type: 'motion' });
  expect(read('<activePostCount>2</acti"vePostCount><eventType>VMD</eventType>')).toBe('unreadable');
  expect(read('<channelID>1<eventType>VMD</eventType>')).toBe('unreadable');
});

it('counts IP channels of recorders from 33', () => {
  expect(videoChannel(34, true, [1, 2, 3])).toBe(2);
  expect(videoChannel(34, true, [33, 34])).toBe(34);
  expect(videoChannel(34, false, [1])).toBe(34);
  expect(videoChannel(6, true, [6])).toBe(6);
  expect(videoChannel(null, true, [])).toBeNull();
});
