import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** Packages whose manifests or readmes name their licence in a form that the lock file leaves out; all of them MIT. */
const MIT_BY_WORD = [
  ...['buildcheck', 'cpu-features', 'glossy', 'ssh2'],
  ...['busboy', 'dicer', 'humanize-number', 'only', 'streamsearch'],
];
/** Allow use in a commercial product; what else turns up is for a person to read. */
const ALLOWED =
  /^(MIT|MIT-0|ISC|0BSD|BSD|BSD-2-Clause|BSD-3-Clause|Apache-2\.0|Apache2|MPL[- ]2\.0|BlueOak-1\.0\.0|CC-BY-4\.0|Unlicense)$/;

it('takes only packages whose licences allow use in a commercial product', () => {
  const lock = JSON.parse(readFileSync(join(import.meta.dirname, '../package-lock.json'), 'utf8')) as {
    packages: Record<string, { license?: string | string[] }>;
  };
  const refused = Object.entries(lock.packages).filter(([path, { license }]) => {
    if (!license) return !MIT_BY_WORD.includes(path.slice('node_modules/'.length));
    const choices = [license]
      .flat()
      .join()
      .replaceAll(/[()]/g, '')
      .split(/ OR |,/);
    return !choices.some((one) => ALLOWED.test(one.trim()));
  });
  expect(refused).toEqual([]);
});
