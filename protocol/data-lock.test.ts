import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lockDataDirectory } from './data-lock.ts';

it('keeps a data directory to one process, until that one ends', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-lock-'));
  const other = () => {
    const script = `import { lockDataDirectory } from ${JSON.stringify(join(import.meta.dirname, 'data-lock.ts'))};
      process.exit(lockDataDirectory(${JSON.stringify(dir)}) ? 0 : 7);`;
    return spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script]).status;
  };
  try {
    expect(other()).toBe(0);
    expect(lockDataDirectory(dir)).toBe(true);
    expect(other()).toBe(7);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
