import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DigestSession, parseChallenges } from './digest.ts';

const header = (...values: string[]) => values.flatMap((v) => ['WWW-Authenticate', v]);
const response = (authorization: string) => /response="([0-9a-f]+)"/.exec(authorization)?.[1];

describe('challenges', () => {
  it('reads several in one header and several headers, with commas and quotes inside', () => {
    const found = parseChallenges([
      'Content-Type',
      'text/html',
      ...header(
        'Digest realm="a, \\"b\\" = c", nonce="1", algorithm=SHA-256, qop="auth,auth-int", Digest realm=plain,nonce="2",Basic realm="x"',
        'Negotiate',
      ),
    ]);
    expect(found.map((c) => c.scheme)).toEqual(['digest', 'digest', 'basic', 'negotiate']);
    expect(found[0]?.params.get('realm')).toBe('a, "b" = c');
    expect(found[1]?.params.get('realm')).toBe('plain');
    expect(found[1]?.params.get('nonce')).toBe('2');
  });

  it('reads back whatever was written, in any quoting, and survives anything else', () => {
    const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/);
    const param = fc.tuple(word, fc.string({ maxLength: 20 }), fc.boolean());
    const challenge = fc.tuple(word, fc.uniqueArray(param, { selector: (p) => p[0].toLowerCase(), maxLength: 4 }));
    fc.assert(
      fc.property(
        fc.array(challenge, { minLength: 1, maxLength: 4 }),
        fc.string({ maxLength: 30 }),
        (written, junk) => {
          const quoted = (v: string) => v.replace(/[\\"]/g, '\\$&');
          const value = written
            .map(([scheme, params]) => {
              const list = params.map(([name, v, tight]) => `${name}${tight ? '=' : ' = '}"${quoted(v)}"`);
              return `${scheme} ${list.join(', ')}`;
            })
            .join(' ,');
          expect(parseChallenges(header(value))).toEqual(
            written.map(([scheme, params]) => ({
              scheme: scheme.toLowerCase(),
              params: new Map(params.map(([name, v]) => [name.toLowerCase(), v])),
            })),
          );
          expect(parseChallenges(header(junk, `Digest ${junk}`)).length).toBeLessThanOrEqual(16);
        },
      ),
    );
  });
});

describe('answers', () => {
  const rfc7616 =
    'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
  const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';
  const login = (challenge: string, c = cnonce) =>
    DigestSession.from(parseChallenges(header(challenge)), 'Mufasa', 'Circle of Life', c);

  it('equals the examples of RFC 7616 §3.9.1', () => {
    expect(response(login(`Digest ${rfc7616}, algorithm=MD5`)!.authorization('GET', '/dir/index.html'))).toBe(
      '8ca523f5e9506fed4657c9700eebdbec',
    );
    expect(response(login(`Digest ${rfc7616}, algorithm=SHA-256`)!.authorization('GET', '/dir/index.html'))).toBe(
      '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    );
  });

  it('equals the example of RFC 2069 §2.4 (as corrected) where the device names no qop', () => {
    const s = DigestSession.from(
      parseChallenges(
        header(
          'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
        ),
      ),
      'Mufasa',
      'CircleOfLife',
    );
    const a = s!.authorization('GET', '/dir/index.html');
    expect(response(a)).toBe('1949323746fe6a43ef61f9606e7febea');
    expect(a).not.toMatch(/nc=|cnonce=|qop=/);
  });

  it('counts up while the nonce is reused, and hashes verb and query', () => {
    const s = login('Digest qop="auth", realm="IP Camera(C2183)", nonce="4e54", stale="FALSE"')!;
    const [a, b, c] = [
      s.authorization('GET', '/x?a=1'),
      s.authorization('GET', '/x?a=1'),
      s.authorization('PUT', '/x?a=1'),
    ];
    expect(a).toContain('nc=00000001');
    expect(b).toContain('nc=00000002');
    expect(a).toContain('uri="/x?a=1"');
    expect(new Set([a, b, c].map(response)).size).toBe(3);
  });

  it('takes the first challenge that it can answer, and never Basic', () => {
    const s = DigestSession.from(
      parseChallenges(
        header(
          'Basic realm="b"',
          'Digest realm="x", nonce="n", algorithm=SHA-512-256, qop="auth"',
          'Digest realm="y", nonce="m", qop="auth-int"',
          'Digest realm="z", nonce="o", algorithm="MD5-sess", qop="auth"',
        ),
      ),
      'u',
      'p',
    );
    expect(s!.authorization('GET', '/')).toContain('realm="z"');
    expect(DigestSession.from(parseChallenges(header('Basic realm="b"')), 'u', 'p')).toBeNull();
  });

  it('quotes what needs it and keeps line ends out of the header', () => {
    const s = DigestSession.from(parseChallenges(header('Digest realm="r", nonce="n"')), 'a"b\\c\r\nX: y', 'p');
    expect(s!.authorization('GET', '/')).toContain('username="a\\"b\\\\cX: y"');
  });
});
