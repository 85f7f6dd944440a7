import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { RefusedLogins } from './refused-logins.ts';

const mac = '02-00-00-00-00-01';

describe('logins that were refused', () => {
  it('are not sent again; others are, also to the same device', () => {
    const refused = new RefusedLogins({ clock: new ManualClock() });
    refused.guard(mac, 'admin', 'Wrong-1').refuse('isapi', 'It refused user name or password.');
    expect(refused.guard(mac, 'admin', 'Wrong-1').refused).toMatchObject({ by: 'isapi', locked: false });
    expect(refused.guard(mac, 'admin', 'Right-1').refused).toBeNull();
    expect(refused.guard(mac, 'other', 'Wrong-1').refused).toBeNull();
    expect(refused.guard('02-00-00-00-00-02', 'admin', 'Wrong-1').refused).toBeNull();
  });

  it('are forgotten after half an hour, with a new password, and when there are too many', async () => {
    const clock = new ManualClock();
    const refused = new RefusedLogins({ clock });
    const refuse = (n: number) => refused.guard(mac, 'admin', `Wrong-${n}`).refuse('isapi', 'no', true);
    const again = (n: number) => refused.guard(mac, 'admin', `Wrong-${n}`).refused !== null;
    refuse(1);
    await clock.advance(29 * 60_000);
    expect(again(1)).toBe(true);
    await clock.advance(60_000);
    expect(again(1)).toBe(false);
    refuse(1);
    refused.forget(mac);
    expect(again(1)).toBe(false);
    for (let n = 1; n <= 513; n++) refuse(n);
    expect([again(1), again(2)]).toEqual([false, true]);
  });
});
