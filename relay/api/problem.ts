import { PROBLEMS, Problem, type ProblemCode, problem } from '../../protocol/wire/problem.ts';

/** An expected failure of a request; the API answers it as problem details (RFC 9457). */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly detail: string | undefined;
  readonly errors: Problem['errors'];
  readonly headers: Record<string, string>;

  constructor(
    code: ProblemCode,
    detail?: string,
    options: { errors?: Problem['errors']; headers?: Record<string, string> } = {},
  ) {
    super(detail ?? PROBLEMS[code][1]);
    this.name = 'ProblemError';
    this.code = code;
    this.detail = detail;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
  }
}

export function problemResponse(
  code: ProblemCode,
  detail?: string,
  options: { errors?: Problem['errors']; headers?: Record<string, string> } = {},
): Response {
  const body = problem(code, detail, options.errors);
  return new Response(JSON.stringify(body), {
    status: body.status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...options.headers },
  });
}

const ProblemSchema = Problem.meta({ id: 'Problem' });

/**
 * Documents the problems of a route: `responses: { 200: json(Site, 'The site'), ...problems('not-found') }`. What every
 * route can answer (`invalid-request`, `not-signed-in`, `too-many-requests`, `internal-error`) is added by itself.
 */
export function problems(...codes: ProblemCode[]) {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set<ProblemCode>([
    ...(['invalid-request', 'not-signed-in', 'too-many-requests', 'internal-error'] as const),
    ...codes,
  ])) {
    const status = PROBLEMS[code][0];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [
      status,
      {
        description: list.map((code) => `\`${code}\`: ${PROBLEMS[code][1]}.`).join(' '),
        content: {
          'application/problem+json': {
            schema: ProblemSchema,
            examples: Object.fromEntries(list.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
          },
        },
      },
    ]),
  ) as Record<never, { description: string; content: { 'application/problem+json': { schema: typeof Problem } } }>;
}

/** A JSON answer for `responses`. */
export const json = <T>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

/** A JSON body for `request`. */
export const body = <T>(schema: T) => ({ body: { required: true, content: { 'application/json': { schema } } } });
