import { expect, it, vi } from 'vitest';
import { LoginGuard } from './login-guard.ts';

it('keeps the first refusal, lets a lock replace it and is reset by a person', () => {
  const guard = new LoginGuard();
  const changed = vi.fn();
  const off = guard.onChange(changed);
  expect(guard.refused).toBeNull();
  guard.refuse('rtsp', 'wrong password');
  guard.refuse('isapi', 'again');
  expect(guard.refused).toEqual({ by: 'rtsp', text: 'wrong password', locked: false, temporary: false });
  guard.refuse('isapi', 'locked for 30 minutes', true);
  guard.refuse('rtsp', 'later');
  expect(guard.refused).toEqual({ by: 'isapi', text: 'locked for 30 minutes', locked: true, temporary: false });
  guard.reset();
  guard.reset();
  expect(guard.refused).toBeNull();
  expect(changed).toHaveBeenCalledTimes(3);
  off();
  guard.refuse('isapi', 'x');
  expect(changed).toHaveBeenCalledTimes(3);
});
