import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter } from 'vitest/node';

/** What a run of tests left undone, as `scripts/test.ts` reads it. */
export interface Failed {
  /** Test files with a failure, from the project's root. */
  files: string[];
  /** Errors that belong to no test. */
  strayErrors: number;
}

/** Writes which files failed to the file that FAILED_FILES names. */
export default class FailedFiles implements Reporter {
  onTestRunEnd: NonNullable<Reporter['onTestRunEnd']> = (modules, errors) => {
    const files = modules.filter((one) => one.state() === 'failed').map((one) => relative('.', one.moduleId));
    const failed: Failed = { files: [...new Set(files)], strayErrors: errors.length };
    writeFileSync(process.env.FAILED_FILES!, JSON.stringify(failed));
  };
}
