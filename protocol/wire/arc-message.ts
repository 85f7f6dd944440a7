import { z } from 'zod';
import { Uuid } from './ids.ts';

/*
 * POST /v1/arc/{accountId}/messages (box API, through the tunnel): the box sends a message that a person asked for. It is
 * queued on disk and goes out like any other; what becomes of it comes as an AlarmReport of kind `test` with this id.
 */

/** RX/E601; TS/E607 when a time of testing begins, and TE/R607 when it ends. */
export const ArcMessageKind = z.enum(['manual-test', 'test-begin', 'test-end']);
export type ArcMessageKind = z.infer<typeof ArcMessageKind>;
export const ArcMessageRequest = z.object({ kind: ArcMessageKind });
export type ArcMessageRequest = z.infer<typeof ArcMessageRequest>;
export const ArcMessageQueued = z.object({ id: Uuid });
export type ArcMessageQueued = z.infer<typeof ArcMessageQueued>;

/** What the box calls each of them. */
export const ARC_MESSAGES = {
  'manual-test': 'manualTest',
  'test-begin': 'testBegin',
  'test-end': 'testEnd',
} as const satisfies Record<ArcMessageKind, string>;
