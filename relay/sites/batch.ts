import { PROBLEMS } from '../../protocol/wire/problem.ts';
import type { BatchResult } from '../../protocol/wire/sites.ts';
import { ProblemError } from '../api/problem.ts';

/** Does the same for several sites, one after the other, and says of each whether it could be done. */
export async function batch(siteIds: string[], one: (siteId: string) => Promise<void>): Promise<BatchResult> {
  const result: BatchResult = { done: [], failed: [] };
  for (const siteId of new Set(siteIds)) {
    try {
      await one(siteId);
      result.done.push(siteId);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      result.failed.push({ siteId, code: error.code, detail: error.detail ?? PROBLEMS[error.code][1] });
    }
  }
  return result;
}
