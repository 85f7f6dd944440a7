import { describe, expect, it } from 'vitest';
import { authorize } from '../testing/digest-client.ts';
import { DigestLogin, LoginCounter } from './digest.ts';

function device(options: { qop?: boolean; algorithms?: ('MD5' | 'SHA-256')[]; saysStale?: boolean } = {}) {
  let time = 1_000_000;
  const now = () => time;
  const counter = new LoginCounter(now);
  const login = new DigestLogin({
    realm: 'IP Camera(X)',
    password: (user: string) => (user === 'admin' ? 'secret' : null),
    qop: true,
    saysStale: true,
    algorithms: ['SHA-256', 'MD5'],
    counter,
    now,
    ...options,
  });
  const headerFor = (challenge: string, password = 'secret', nc = 1) =>
    authorize(challenge, { method: 'GET', uri: '/a?b=1', username: 'admin', password, nc });
  return {
    counter,
    login,
    headerFor,
    attempt: (password: string) => login.check('GET', '/a?b=1', headerFor(login.challenges(false)[0]!, password)),
    pass: (ms: number) => {
      time += ms;
    },
  };
}

describe('digest login of a camera', () => {
  it('takes the right password with SHA-256 and with MD5, with and without qop', () => {
    const both = device();
    for (const challenge of both.login.challenges(false))
      expect(
        both.login.check('GET', '/a?b=1', both.headerFor(challenge, 'secret', challenge.includes('SHA') ? 1 : 2)),
      ).toBe('ok');
    const old = device({ qop: false, algorithms: ['MD5'] });
    expect(old.login.challenges(false)).toHaveLength(1);
    expect(old.login.challenges(false)[0]).not.toContain('qop');
    expect(old.attempt('secret')).toBe('ok');
  });

  it('matches the example of RFC 2069 as corrected', () => {
    const login = new DigestLogin({
      realm: 'testrealm@host.com',
      password: () => 'CircleOfLife',
      qop: false,
      saysStale: true,
      algorithms: ['MD5'],
      counter: new LoginCounter(),
    });
    const header =
      'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", response="1949323746fe6a43ef61f9606e7febea"';
    // Right by its password; the nonce is not one of ours.
    expect(login.check('GET', '/dir/index.html', header)).toBe('stale');
    expect(login.check('PUT', '/dir/index.html', header)).toBe('wrong');
  });

  it('counts wrong passwords, not missing ones nor dead nonces', () => {
    const camera = device();
    const header = camera.headerFor(camera.login.challenges(false)[0]!);
    expect(camera.login.check('GET', '/a?b=1', undefined)).toBe('none');
    expect(camera.login.check('GET', '/a?b=1', header)).toBe('ok');
    expect(camera.login.check('GET', '/a?b=1', header)).toBe('stale');
    camera.pass(31_000);
    expect(camera.login.check('GET', '/a?b=1', camera.headerFor(camera.login.challenges(true)[0]!))).toBe('ok');
    expect(camera.login.check('GET', '/a?b=1', header)).toBe('stale');
    expect(camera.counter.failedLogins).toBe(0);
    expect(camera.attempt('wrong')).toBe('wrong');
    expect(camera.counter.failedLogins).toBe(1);
    expect(camera.login.check('GET', '/other', camera.headerFor(camera.login.challenges(false)[0]!))).toBe('wrong');
  });

  it('says stale, or does not, as its firmware would', () => {
    expect(device().login.challenges(true)[0]).toContain('stale="TRUE"');
    expect(device({ saysStale: false }).login.challenges(true)[0]).toContain('stale="FALSE"');
  });

  it('locks for 30 minutes after six wrong passwords, also for the right one', () => {
    const camera = device();
    for (let i = 0; i < 5; i++) expect(camera.attempt('wrong')).toBe('wrong');
    expect(camera.counter.triesLeft).toBe(1);
    expect(camera.attempt('secret')).toBe('ok');
    expect(camera.counter.triesLeft).toBe(6);
    for (let i = 0; i < 5; i++) camera.attempt('wrong');
    expect(camera.attempt('wrong')).toBe('locked');
    expect(camera.attempt('secret')).toBe('locked');
    expect(camera.counter.unlockSeconds).toBe(1800);
    camera.pass(30 * 60_000);
    expect(camera.attempt('secret')).toBe('ok');
  });
});
