import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { describeBackchannel, openBackchannel } from './backchannel.ts';
import { pitch, tone, until } from './testing/voice.ts';

/* gst-rtsp-server 1.22 (Debian) has a way back of ONVIF that others have written. */

it('gst-rtsp-server hears what is said over its way back, and takes a wrong password once', async () => {
  const script = fileURLToPath(new URL('testing/backchannel.py', import.meta.url));
  const login = { user: 'admin', password: 'p@ss:word/123' };
  const args = [script, JSON.stringify({ ...login, law: 'pcma' })];
  const child = spawn('/usr/bin/python3', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const heard: Buffer[] = [];
  const events: string[] = [];
  let port = 0;
  createInterface({ input: child.stdout }).on('line', (text) => {
    if (!text.startsWith('{')) return;
    const line = JSON.parse(text) as { port?: number; heard?: string; event?: string };
    port = line.port ?? port;
    if (line.heard) heard.push(Buffer.from(line.heard, 'base64'));
    if (line.event) events.push(line.event);
  });
  try {
    await until(() => port > 0, 'the server');
    const target = { url: `rtsp://127.0.0.1:${port}/live`, username: login.user, password: login.password };
    const described = await describeBackchannel(target, clock);
    expect(described).toMatchObject({ ok: true, value: { track: { codec: 'PCMA', payloadType: 8 } } });
    const wrong = await openBackchannel({ ...target, password: 'wrong' }, { clock });
    expect(wrong).toMatchObject({ ok: false, code: 'device-refused-login' });
    const opened = await openBackchannel(target, { clock });
    if (!opened.ok) throw new Error(opened.text);
    const speaker = opened.value;
    for (let at = 0; at < 900; at += 20) {
      expect(speaker.write(tone(440, 20, at))).toBe(true);
      await clock.sleep(20);
    }
    const sound = () => Buffer.concat(heard);
    await until(() => sound().length >= 2 * 8 * 700, 'what was said');
    const bytes = sound();
    expect(pitch(new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1))).toBeCloseTo(440, -1.3);
    await speaker.close();
    await until(() => events.includes('teardown'), 'the end');
    expect(events).toEqual(['play', 'teardown']);
  } finally {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  }
});
