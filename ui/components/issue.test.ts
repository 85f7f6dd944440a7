import { beforeAll, expect, it } from 'vitest';
import common from '../locales/en/common.json' with { type: 'json' };
import { ApiError } from './http.ts';
import { startI18n } from './i18n.ts';
import { detailOf } from './issue.ts';

beforeAll(() => startI18n(async () => common, ['common'], 'en'));

const said = (detail: string, ...errors: { path: string; message: string }[]) =>
  detailOf(new ApiError('invalid-request', 400, { detail, errors }));

it('names no field as the API does, and says what is wrong in words (INIT-22, INIT-24)', () => {
  const path = 'password.password';
  expect(said(`${path}: classes`, { path, message: 'classes' })).toMatch(/^It needs two of the four kinds/);
  const message = 'The gateway is in another network than the address.';
  const all = [0, 1].map((i) => ({ path: `items.${i}.to.gateway`, message }));
  expect(said(all.map((e) => `${e.path}: ${e.message}`).join('; '), ...all)).toBe(
    'The gateway is in another network than the address.',
  );
});

it('leaves the words of the relay as they are', () => {
  expect(said('No password is kept of it: enter it.', { path: 'password', message: 'x' })).toMatch(/^No password/);
});
