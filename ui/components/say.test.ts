import { afterEach, expect, it } from 'vitest';
import { ApiError } from './http.ts';
import { setLanguage } from './i18n.ts';
import { detailOf } from './issue.ts';
import { describe } from './problem.tsx';
import { needSentences, say } from './say.ts';
import { speak } from './testing.ts';

afterEach(() => setLanguage('en'));

const refused = (code: string, detail: string) => new ApiError(code, 409, { detail });

it('says in German what the relay says, once the words are there, and English again in English', async () => {
  await speak('de');
  const gone = 'Box 6NM6TXV33 is not connected. Check its power and its internet connection.';
  expect(say(gone)).toBe(gone);
  await needSentences();
  const german = 'Die Box 6NM6TXV33 ist nicht verbunden. Prüfen Sie ihren Strom und ihre Internetverbindung.';
  expect(say(gone)).toBe(german);
  expect(detailOf(refused('box-unreachable', gone))).toBe(german);
  expect(say('127.0.0.1: It refused user name or password. It leaves 5 tries before it locks itself.')).toBe(
    '127.0.0.1: Das Gerät hat Benutzername oder Passwort abgewiesen. Es lässt noch 5 Versuche zu, bevor es sich sperrt.',
  );
  await setLanguage('en');
  expect(say(gone)).toBe(gone);
});

it('says what is in the way, where the code says only that something is', async () => {
  await speak('en');
  const detail = 'No package of 365 days for a year is left. Redeem a service key, or choose another package.';
  expect(describe(refused('limit-reached', detail))).toEqual({ title: detail.slice(0, -1), next: '' });
  expect(describe(refused('limit-reached', '')).title).toBe('There are as many as there may be');
  expect(describe(refused('device-error', 'It gives no picture.'))).toEqual({
    title: 'It gives no picture',
    next: 'Try again; if it stays, restart the device.',
  });
});
