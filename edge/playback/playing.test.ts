import { pino } from 'pino';
import { expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { MessageSink } from './media-writer.ts';
import { Playing } from './playing.ts';

it('a recording that breaks what reads it ends playback, and nothing else', async () => {
  let released = 0;
  const playing = new Playing({
    target: { track: '', username: '', password: '', keepAlive: { method: null }, offset: () => 0 },
    spans: [{ fromMs: 0, toMs: 1000 }],
    speed: 1,
    clock,
    log: pino({ level: 'silent' }),
    gapsLast: false,
    sink: (push) => new MessageSink(push),
    accept: ['h264'],
    convert: () => null,
    faster: () => ({
      run: () => Promise.reject(new RangeError('out of range')),
      hold: () => {},
      release: () => {},
      shownTo: null,
    }),
    released: () => released++,
  });
  const begun = await playing.begin();
  expect(begun).toMatchObject({ ok: false, end: { code: 'protocol' } });
  await expect.poll(() => released).toBe(1);
});
