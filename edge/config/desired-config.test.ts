import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { DesiredState } from '../../protocol/wire/desired.ts';
import { Warnables } from '../warnables.ts';
import { DesiredConfig } from './desired-config.ts';

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
