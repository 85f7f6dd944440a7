import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';

/**
 * Everything here is about alarms of all the centre's accounts: for its people who may see all, and for keys that are not
 * held to certain sites. Others find nothing, as of another company.
 */
export function mustBeCentre(scope: Scope): void {
  if (scope.companyType !== 'arc') throw new ProblemError('not-found');
  scope.must('manage-all-sites');
}
