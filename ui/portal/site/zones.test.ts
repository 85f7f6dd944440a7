import { beforeAll, describe, expect, it } from 'vitest';
import { speakEnglish } from '../../components/testing.ts';
import { tidy } from './claim.tsx';
import { device } from './samples.ts';
import { zoneRows } from './zones.ts';

beforeAll(speakEnglish);

describe('zones of an account', () => {
  const camera = device('d1', 'online');
  camera.health!.channels = [1, 2].map((channel) => ({
    channel,
    name: '',
    video: 'streaming',
    codec: null,
    keyFrameIntervalMs: null,
  }));
  const silent = device('d2', null);
  const elsewhere = { ...device('d3', 'online'), boxSerial: '9GHJKMNPQ' };

  it('proposes a number for each channel of this box, and one for a device whose channels are not known', () => {
    const rows = zoneRows([camera, silent, elsewhere], '3467ACDEF', undefined);
    expect(rows.map((row) => [row.deviceId, row.channel, row.zone])).toEqual([
      ['d1', 1, 1],
      ['d1', 2, 2],
      ['d2', null, 3],
    ]);
    expect(rows[0]!.name).toBe('Camera d1, Channel 1');
  });

  it('shows what an account has, also its line for a whole device', () => {
    const zones = [
      { deviceId: 'd1', channel: null, zone: 9 },
      { deviceId: 'd1', channel: 2, zone: 4 },
    ];
    const rows = zoneRows([camera], '3467ACDEF', { zones });
    expect(rows.map((row) => [row.channel, row.zone])).toEqual([
      [null, 9],
      [1, undefined],
      [2, 4],
    ]);
  });
});

it('takes serials and codes as people type them', () => {
  expect(tidy(' 3467 ac-def ')).toBe('3467ACDEF');
});
