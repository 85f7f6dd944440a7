import type { z } from 'zod';
import { PROBLEMS, type Problem, type ProblemCode, problem } from '../protocol/wire/problem.ts';

/** An answer that says what is wrong, RFC 9457. */
export function problemResponse(code: ProblemCode, detail?: string, errors?: Problem['errors']): Response {
  return Response.json(problem(code, detail, errors), {
    status: PROBLEMS[code][0],
    headers: { 'content-type': 'application/problem+json' },
  });
}

/** `invalid-request`, with what is wrong field by field. */
export function invalidRequest(error: z.ZodError): Response {
  const errors = error.issues.map((i) => ({ path: i.path.join('.'), message: i.message }));
  return problemResponse('invalid-request', undefined, errors);
}
