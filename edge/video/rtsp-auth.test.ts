import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Authorizer, chooseChallenge } from './rtsp-auth.ts';

const field = (header: string, name: string) => new RegExp(`\\b${name}="?([^",]+)"?`).exec(header)?.[1] ?? '';

describe('RTSP authentication', () => {
  it('answers a digest without qop and opaque (RFC 2069), as Hikvision asks for it', () => {
    const challenge = chooseChallenge([
      'Digest realm="Cam", nonce="0a1b2c", algorithm="MD5", stale="FALSE"',
      'Basic realm="/"',
    ]);
    expect(challenge).toMatchObject({ qop: false, opaque: null, stale: false });
    const header = new Authorizer(challenge!, 'admin', '12345678a').header(
      'DESCRIBE',
      'rtsp://10.0.0.5:554/Streaming/Channels/101',
    );
    expect(field(header, 'response')).toBe('7a721cba60ae34b7ee808afcb9869d92');
    expect(header).not.toMatch(/qop|cnonce|opaque/);
  });

  it('prefers SHA-256, counts the uses of a nonce and returns opaque', () => {
    const challenge = chooseChallenge([
      'Digest realm="r", nonce="n1", algorithm=MD5, qop="auth"',
      'Digest realm="r", nonce="n2", algorithm=SHA-256, qop="auth-int, auth", opaque="o p"',
    ]);
    const auth = new Authorizer(challenge!, 'u"1', 'pw');
    auth.header('OPTIONS', 'rtsp://c/');
    const header = auth.header('PLAY', 'rtsp://c/1');
    const sha = (s: string) => createHash('sha256').update(s).digest('hex');
    const expected = sha(`${sha('u"1:r:pw')}:n2:00000002:${field(header, 'cnonce')}:auth:${sha('PLAY:rtsp://c/1')}`);
    expect(field(header, 'response')).toBe(expected);
    expect(header).toContain('username="u\\"1"');
    expect(header).toContain('opaque="o p"');
    expect(header).toContain('nc=00000002');
  });

  it('answers Basic never, and what it does not know neither', () => {
    expect(chooseChallenge(['Basic realm="x"'])).toBeNull();
    expect(chooseChallenge(['Basic realm="x"', 'Digest realm="x", nonce="1"'])).toMatchObject({ nonce: '1' });
    expect(chooseChallenge(['Negotiate', 'Digest realm="x", nonce="1", qop="auth-int"', ''])).toBeNull();
  });

  it('ends no header line early, whatever the user is called', () => {
    const header = new Authorizer(chooseChallenge(['Digest realm="x", nonce="1"'])!, 'a\r\nX: y', 'b').header(
      'PLAY',
      'rtsp://c/',
    );
    expect(header).not.toMatch(/[\r\n]/);
  });
});
