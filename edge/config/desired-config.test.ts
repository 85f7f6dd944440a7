import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { siteKeyText } from '../../protocol/codec/object-cipher.ts';
import { DesiredRecording, type DesiredState, type DesiredStorage } from '../../protocol/wire/desired.ts';
import type { SealedSecret } from '../../protocol/wire/secret.ts';
import { Warnables } from '../warnables.ts';
import { DesiredConfig, type RecordingConfig } from './desired-config.ts';

it('shows each item that is not in effect until it is, and follows the others', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-config-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const log = pino({ level: 'silent' });
  const warnables = new Warnables({ clock: new ManualClock(), log });
  let refused = ['a', 'b'];
  const config = new DesiredConfig({
    dir,
    unseal: () => '',
    appliers: {
      storage: () => {},
      devices: () => [],
      panels: () => [],
      recording: () => {
        throw new Error('a bug');
      },
      arc: () => refused.map((id) => ({ id, code: 'key-invalid', text: 'Enter the key again.' })),
    },
    log,
    warnables,
  });
  const shown = () =>
    warnables.list().flatMap((w) => (w.code === 'configuration-not-applied' ? [[w.subject, w.text]] : []));
  const section = { version: 1, items: [] };
  const state = (version: number): DesiredState => ({
    version,
    sections: { devices: section, recording: section, arc: section, storage: section },
  });
  config.take(state(1));
  const text = 'This setting is not in effect. Enter the key again.';
  const bug = ['recording:recording', 'This setting is not in effect. a bug'];
  expect(shown().sort()).toEqual([['arc:a', text], ['arc:b', text], bug]);
  refused = ['b'];
  config.take(state(2));
  expect(shown().sort()).toEqual([['arc:b', text], bug]);
});

it('opens the key of each channel’s footage, and records nothing in clear that is to be encrypted (CLOUD-02)', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-config-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const log = pino({ level: 'silent' });
  let recording: RecordingConfig[] = [];
  let storage: DesiredStorage | null = null;
  const config = new DesiredConfig({
    dir,
    unseal: ({ nonce }, context) => {
      if (nonce !== 'this-box' || context !== 'recording:k1') throw new Error('sealed to another box');
      return siteKeyText(Buffer.alloc(32, 7));
    },
    appliers: {
      devices: () => [],
      panels: () => [],
      arc: () => [],
      recording: (items) => {
        recording = items;
        return [];
      },
      storage: (item) => {
        storage = item;
      },
    },
    log,
    warnables: new Warnables({ clock: new ManualClock(), log }),
  });
  const deviceId = '00000000-0000-7000-8000-000000000001';
  const secret = (nonce: string): SealedSecret => ({ v: 1, ephemeralKey: '', nonce, ciphertext: '' });
  const channel = (n: number, nonce: string | null): DesiredRecording => ({
    ...DesiredRecording.parse({ deviceId, channel: n, triggers: ['motion'] }),
    key: nonce === null ? null : { id: 'k1', secret: secret(nonce) },
  });
  const section = { version: 1, items: [] };
  const wish: DesiredStorage = { id: 'box', uploadKbps: 2000, window: null, diskBytes: null };
  const items = [channel(1, null), channel(2, 'this-box'), channel(3, 'another')];
  const storages = { version: 1, items: [wish] };
  const { sections } = config.take({
    version: 1,
    sections: { devices: section, arc: section, recording: { version: 1, items }, storage: storages },
  });
  expect(recording.map((r) => [r.channel, r.key])).toEqual([
    [1, null],
    [2, { id: 'k1', secret: Buffer.alloc(32, 7) }],
  ]);
  expect(sections.recording?.errors).toMatchObject([{ id: `${deviceId}/3`, code: 'secret-unreadable' }]);
  expect(storage).toEqual(wish);
  config.take({ version: 2, sections: { devices: section, arc: section, recording: section, storage: section } });
  expect(storage).toBeNull();
});
