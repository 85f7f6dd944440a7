import type { Clock } from '../../protocol/clock.ts';
import { type CloudSettle, CloudSettled } from '../../protocol/wire/cloud.ts';
import { PROBLEMS, Problem } from '../../protocol/wire/problem.ts';
import { type RelayAuth, RelayAuthError } from '../uplink/relay-auth.ts';

export type Settled = { ok: true; until: string | null } | { ok: false; code: string; text: string };
/** Tells the relay what became of a channel, and waits for its answer for so long as it takes the relay to come back. */
export type Settle = (of: CloudSettle, waitMs: number, signal: AbortSignal) => Promise<Settled>;

const TIMEOUT_MS = 15_000;
const AGAIN_MS = 5_000;
const MAX_ANSWER_BYTES = 16 * 1024;
/** These the relay will say again tomorrow. */
const FINAL: ReadonlySet<string> = new Set(['not-found', 'conflict', 'limit-reached', 'invalid-request']);

export function settleAt({ auth, clock }: { auth: RelayAuth; clock: Clock }): Settle {
  return async (of, waitMs, signal) => {
    const end = clock.mono() + waitMs;
    for (;;) {
      const said = await ask(auth, of, signal);
      if (said.ok || FINAL.has(said.code) || signal.aborted || clock.mono() + AGAIN_MS > end) return said;
      await clock.sleep(AGAIN_MS, signal);
    }
  };
}

async function ask(auth: RelayAuth, of: CloudSettle, signal: AbortSignal): Promise<Settled> {
  try {
    const authorization = await auth.header('/box/v1/cloud', signal);
    const response = await fetch(new URL('/box/v1/cloud', auth.relayUrl), {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(of),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const text = (await response.text()).slice(0, MAX_ANSWER_BYTES);
    const answer = CloudSettled.safeParse(parse(text));
    if (response.status === 200 && answer.success) return { ok: true, until: answer.data.until };
    const problem = Problem.safeParse(parse(text));
    if (!problem.success || !(problem.data.code in PROBLEMS))
      return { ok: false, code: 'relay-unreachable', text: `The relay answered ${response.status}.` };
    const { code, detail, title } = problem.data;
    if (code === 'box-not-authenticated') auth.forget();
    return { ok: false, code, text: detail ?? title };
  } catch (error) {
    const text = error instanceof RelayAuthError ? error.message : 'The relay does not answer.';
    return { ok: false, code: 'relay-unreachable', text };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
