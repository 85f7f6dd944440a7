import { z } from 'zod';

/** RFC 9457 problem details, with a stable `code` that support can search for. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  /** Field by field, for forms. */
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof Problem>;

/** Every error code of the API, with its HTTP status and its title: one table, kept equal to the documentation by a test. */
export const PROBLEMS = {
  'invalid-request': [400, 'The request is not valid'],
  'not-signed-in': [401, 'Sign in first'],
  'wrong-credentials': [401, 'E-mail or password is wrong'],
  'second-factor-needed': [401, 'A code of the second factor is needed'],
  'box-not-authenticated': [401, 'The box could not prove itself'],
  'box-revoked': [403, 'This box was revoked'],
  'tls-needed': [403, 'The relay is reached by https:// and wss:// only'],
  'box-not-claimed': [403, 'This box is not claimed yet'],
  'not-allowed': [403, 'You may not do this'],
  'wrong-password': [403, 'The password is wrong'],
  'verification-code-needed': [403, 'The device’s verification code must be entered first'],
  'permission-needed': [403, 'This needs a permission of the owner: ask for it'],
  'account-limited': [403, 'Your account is limited: its limit must be removed first'],
  'not-found': [404, 'There is no such thing here'],
  'method-not-allowed': [405, 'This address does not take that method'],
  'not-acceptable': [406, 'Nothing can be sent of what this program takes'],
  conflict: [409, 'This is in conflict with what is there'],
  'site-status': [409, 'The site’s status does not allow this'],
  'handover-blocked': [409, 'Something at this site is in the way of its handover'],
  'limit-reached': [409, 'There are as many as there may be'],
  'too-many-windows': [409, 'As many windows are open as there may be'],
  'spoken-to': [409, 'Somebody else speaks there already'],
  'speaker-busy': [409, 'The device’s loudspeaker is in use'],
  'no-speaker': [409, 'The device has no loudspeaker that can be spoken through'],
  'speaker-codec': [409, 'The device takes no sound that the box can make'],
  'added-to-another-account': [409, 'This device is added to another account'],
  'already-claimed': [409, 'This box belongs to a site already'],
  'duplicate-identity': [409, 'Two boxes use one identity'],
  'link-invalid': [410, 'This link is no longer valid'],
  'precondition-failed': [412, 'It is not as you have it any more'],
  'payload-too-large': [413, 'The request is too large'],
  'unsupported-media-type': [415, 'A body of this type is not taken here'],
  'range-not-satisfiable': [416, 'This part does not exist'],
  'code-wrong': [422, 'The code is wrong'],
  'verification-code-wrong': [422, 'The device’s verification code is wrong'],
  'no-restart': [422, 'A connection cannot be restarted'],
  'weak-password': [422, 'This password is too easy to guess'],
  'cannot-be-invited': [422, 'This account cannot be invited'],
  'service-key-invalid': [422, 'This service key cannot be used'],
  'claim-refused': [422, 'Serial or code is wrong'],
  'precondition-required': [428, 'Say which state you mean'],
  'too-many-tries': [429, 'Too many tries: wait'],
  'too-many-requests': [429, 'Too many requests at once: wait'],
  'internal-error': [500, 'Something broke on our side'],
  'device-refused-login': [502, 'The device refused user name or password'],
  'device-locked': [502, 'The device is locked after wrong passwords'],
  'device-not-activated': [502, 'The device is not activated'],
  'device-unreachable': [502, 'The device does not answer'],
  'device-certificate-changed': [502, 'The device shows another certificate'],
  'device-error': [502, 'The device answered with an error'],
  'outbox-full': [503, 'No message can be sent at the moment'],
  'box-unreachable': [503, 'The box is not connected'],
  'transcode-busy': [503, 'The box converts as many streams as it can'],
  'storage-full': [507, 'There is no room left'],
} as const satisfies Record<string, readonly [number, string]>;
export type ProblemCode = keyof typeof PROBLEMS;

export function problem(code: ProblemCode, detail?: string, errors?: Problem['errors']): Problem {
  const [status, title] = PROBLEMS[code];
  return { type: `https://gatepost.example/problems/${code}`, title, status, code, detail, errors };
}
