import { describe, expect, it } from 'vitest';
import { baseUrl, resolveControl, rtspHost } from './rtsp-url.ts';

const ASKED = 'rtsp://192.168.7.20:554/Streaming/Channels/101';

describe('RTSP addresses', () => {
  it.each([
    ['rtsp://192.168.7.20/live/', null, 'rtsp://192.168.7.20/live/'],
    [null, 'rtsp://192.168.7.20/other', 'rtsp://192.168.7.20/other'],
    ['rtsp://rtsp://192.168.7.20/live', null, 'rtsp://192.168.7.20/live'],
    ['rtsp://::ffff:192.168.7.20/live', null, ASKED],
    ['192.168.7.20/live', null, ASKED],
    ['', '', ASKED],
  ])('base %j, %j → %s', (base, location, expected) => {
    expect(baseUrl(ASKED, base, location)).toBe(expected);
  });

  it.each([
    [ASKED, '*', ASKED],
    [ASKED, null, ASKED],
    [ASKED, 'trackID=1', `${ASKED}/trackID=1`],
    [`${ASKED}/`, '/trackID=1', `${ASKED}/trackID=1`],
    [`${ASKED}?transportmode=unicast`, 'trackID=1', `${ASKED}?transportmode=unicast/trackID=1`],
    [ASKED, 'rtsp://10.9.9.9/media/video2/video', 'rtsp://10.9.9.9/media/video2/video'],
    [ASKED, 'rtsp://rtsp://192.168.7.20/x/track1', 'rtsp://192.168.7.20/x/track1'],
    [ASKED, 'rtsp://::ffff:192.168.7.20/x/track1', 'rtsp://192.168.7.20:554/x/track1'],
  ])('control of %s: %j → %s', (base, control, expected) => {
    expect(resolveControl(base, control)).toBe(expected);
  });

  it('dials port 554 unless told otherwise', () => {
    expect(rtspHost('rtsp://cam.lan/x')).toEqual({ host: 'cam.lan', port: 554, secure: false });
    expect(rtspHost('rtsp://[fe80::1]:10554/x')).toEqual({ host: 'fe80::1', port: 10_554, secure: false });
    expect(rtspHost('rtsps://cam.lan/x')).toEqual({ host: 'cam.lan', port: 322, secure: true });
    expect(rtspHost('http://cam.lan/x')).toBeNull();
    expect(rtspHost('no address')).toBeNull();
  });
});
