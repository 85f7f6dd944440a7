import { verify } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { publicKeyFromRaw, seal } from '../../protocol/codec/sealed.ts';
import { BoxAuth, EnrolRequest, enrolInput, signingInput } from '../../protocol/wire/box-auth.ts';
import { Identity } from './identity.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-identity-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function start(): Identity {
  const identity = new Identity({ dir });
  identity.start();
  return identity;
}

describe('identity', () => {
  it('stays the same over restarts, with a new boot id and a growing epoch', () => {
    const first = start();
    const second = start();
    expect(second.serial).toBe(first.serial);
    expect(second.code).toBe(first.code);
    expect(second.boot).not.toBe(first.boot);
    expect([first.epoch, second.epoch]).toEqual([1, 2]);
  });

  it('has a serial of 9 characters that ends in a digit (SN-09)', () => {
    expect(start().serial).toMatch(/^[34679ACDEFGHJKMNPQRTUVWXY]{8}[34679]$/);
  });

  it('keeps its keys in a file that only its owner reads', () => {
    start();
    expect(statSync(join(dir, 'identity.json')).mode & 0o777).toBe(0o600);
  });

  it('proves itself with what it enrolled', () => {
    const identity = start();
    const enrolment = EnrolRequest.parse(identity.enrolment('1.0.0'));
    const key = publicKeyFromRaw('Ed25519', enrolment.publicKey);
    const check = (text: string, signature: string) =>
      verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
    expect(check(enrolInput(enrolment), enrolment.signature)).toBe(true);
    const proof = BoxAuth.parse(identity.prove('n'.repeat(32), '/mqtt'));
    expect(check(signingInput(proof, '/mqtt'), proof.signature)).toBe(true);
    expect(check(signingInput(proof, '/tunnel'), proof.signature)).toBe(false);
  });

  it('opens what was sealed to it', () => {
    const identity = start();
    const { sealKey } = identity.enrolment('1.0.0');
    expect(identity.unseal(seal('pa55', sealKey, 'device:1'), 'device:1')).toBe('pa55');
  });

  it('refuses to start as another box when its file is damaged', () => {
    start();
    writeFileSync(join(dir, 'identity.json'), '{"v":1,');
    expect(() => start()).toThrow();
  });
});
