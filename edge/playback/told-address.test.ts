import { expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { silent } from '../video/testing/camera.ts';
import { scriptedCamera, usual } from '../video/testing/scripted-camera.ts';
import { Playing } from './playing.ts';

it('plays a file by its time alone where the device does not know what it told of it', async () => {
  const camera = await scriptedCamera({
    answer: (r) => (r.method === 'DESCRIBE' && r.uri.includes('name=') ? { status: '404 Not Found' } : usual(r)),
  });
  try {
    const uri = `${camera.url}?starttime=1&endtime=2&name=ch1_01&size=9`;
    const playing = new Playing({
      target: { track: camera.url, username: 'a', password: 'b', keepAlive: { method: null }, offset: () => 0 },
      spans: [{ fromMs: 0, toMs: 10_000, uri }],
      speed: 1,
      clock,
      log: silent,
      gapsLast: false,
      accept: ['h264'],
      convert: () => null,
      released: () => {},
      sink: (push) => ({
        expect: () => {},
        init: () => push(new Uint8Array(1)),
        fragment: () => {},
        sound: () => {},
      }),
    });
    expect((await playing.begin()).ok).toBe(true);
    playing.stop();
    const asked = camera.requests.filter((r) => r.method === 'DESCRIBE').map((r) => r.uri.replace(/^[^?]*/, ''));
    const times = '?starttime=19700101T000000Z&endtime=19700101T000010Z';
    expect(asked).toEqual([`${times}&name=ch1_01&size=9`, times]);
  } finally {
    await camera.stop();
  }
});
