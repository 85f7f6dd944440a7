import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Vault } from './vault.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-vault-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = () => {
  const vault = new Vault({ dir });
  vault.start();
  return vault;
};

describe('the vault', () => {
  it('reads after a restart what it sealed, never twice alike, with a key only its owner reads', () => {
    const vault = open();
    const sealed = vault.seal('totp 1', 'secret');
    expect(vault.seal('totp 1', 'secret')).not.toBe(sealed);
    expect(Buffer.from(sealed, 'base64').toString('latin1')).not.toContain('secret');
    expect(open().open('totp 1', sealed)).toBe('secret');
    expect(statSync(join(dir, 'vault.key')).mode & 0o777).toBe(0o600);
  });

  it('refuses what was changed, moved to another purpose, or sealed by another', () => {
    const vault = open();
    const sealed = vault.seal('totp 1', 'secret');
    expect(() => vault.open('totp 2', sealed)).toThrow();
    const bytes = Buffer.from(sealed, 'base64');
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i]! ^= 1;
      expect(() => vault.open('totp 1', changed.toString('base64'))).toThrow();
    }
    rmSync(join(dir, 'vault.key'));
    expect(() => open().open('totp 1', sealed)).toThrow();
    writeFileSync(join(dir, 'vault.key'), 'short');
    expect(open).toThrow('no key of the vault');
  });
});
