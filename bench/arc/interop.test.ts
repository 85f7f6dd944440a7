import { afterAll, describe, expect, it } from 'vitest';
import { removeTempDirs } from '../../edge/arc/testing/harness.ts';
import {
  CENTRES,
  type CentreName,
  events,
  FORMS,
  type Form,
  MISTAKES,
  mistaken,
  supervision,
  texts,
} from './interop.ts';

afterAll(removeTempDirs);

describe.each(
  Object.keys(CENTRES) as CentreName[],
)('the sender and the receiver %s (the long form: node bench/arc/interop.ts)', (name) => {
  it.each(Object.keys(FORMS) as Form[])('every event once and in order as %s (ARC-15)', async (form) => {
    expect(await events(name, form, 20)).toMatchObject({
      acknowledged: 20,
      doubled: 0,
      inOrder: true,
      alarmsRefused: 0,
    });
  });

  it('is supervised in time (ARC-32)', async () => {
    expect(await supervision(name, 20, 150)).toMatchObject({ late: 0 });
  });

  it('has text cleaned, and the address of a picture, acknowledged', async () => {
    expect(await texts(name)).toMatchObject({
      acknowledged: 3,
      longest: true,
      picture: true,
      clean: true,
      text: expect.stringMatching(/^Tuer Sued x e ss/),
    });
  });
});

describe('an account that is set up wrongly', () => {
  it.each(MISTAKES)('%s: no false success, told at once, and no other account waits', async (mistake) => {
    const result = await mistaken('strict', mistake);
    expect(result).toMatchObject({ falseSuccess: false });
    expect(result.otherMs).toBeLessThan(5_000);
    if (mistake.startsWith('clock')) {
      expect(result.fault).toBe(true);
      // Both alarms; the word about the clock may be there already.
      expect(result.delivered).toBeGreaterThanOrEqual(2);
      expect(result.tookMs).toBeLessThan(2_000);
    } else if (mistake === 'unknown code') expect(result.delivered).toBeGreaterThanOrEqual(2);
    else expect(result).toMatchObject({ delivered: 0, fault: true });
  });

  it.each(['other key', 'unknown account'] as const)('%s, at iobroker.sia', async (mistake) => {
    expect(await mistaken('iobroker.sia', mistake)).toMatchObject({ falseSuccess: false, delivered: 0, fault: true });
  });
});
