import { useEffect, useRef } from 'preact/hooks';
import type { ApiError } from './http.ts';
import { lookup, t } from './i18n.ts';
import { Mark } from './icons.tsx';
import { detailOf } from './issue.ts';
import { say } from './say.ts';
import { formatDuration } from './time.ts';

/** Codes that say little where the server has said what is in the way; whether what to do next is still true then. */
const BLUNT: Partial<Record<string, 'next' | 'alone'>> = {
  conflict: 'alone',
  'limit-reached': 'alone',
  'device-error': 'next',
};

/** Codes whose own words say all that the server says. */
const SAID_ALREADY = new Set(['box-unreachable']);

/** What a person reads of an error: what happened, what to do next. Unknown codes keep the server's own words. */
export function describe(error: ApiError): { title: string; next: string } {
  const wait = error.retryAfterS ? t('problem.wait', { duration: formatDuration(error.retryAfterS * 1000) }) : '';
  const blunt = BLUNT[error.code];
  if (blunt && error.detail) {
    const next = blunt === 'next' ? lookup(`problem.${error.code}.next`) : null;
    return { title: say(error.detail).replace(/\.$/, ''), next: [next, wait].filter(Boolean).join(' ') };
  }
  return {
    title: lookup(`problem.${error.code}.title`) ?? (error.detail ? say(error.detail) : t('problem.other.title')),
    next: [lookup(`problem.${error.code}.next`) ?? t('problem.other.next'), wait].filter(Boolean).join(' '),
  };
}

interface Props {
  error: ApiError | null;
  /** What was tried, with the name of what it was tried on: "Yard camera could not be added". */
  what: string;
  retry?: () => void;
  /** Take the focus when it appears: after a form was sent. */
  focus?: boolean;
}

/** An error where it happened, with its code for support. */
export function ProblemPanel({ error, what, retry, focus }: Props) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (error && focus) ref.current?.focus();
  }, [error, focus]);
  if (!error) return null;
  const { title, next } = describe(error);
  const detail = SAID_ALREADY.has(error.code) ? undefined : detailOf(error);
  return (
    <div ref={ref} role="alert" tabIndex={-1} class="flex gap-3 rounded-box border-2 border-error bg-base-100 p-4">
      <span class="mt-1 shrink-0">
        <Mark level="problem" size={18} />
      </span>
      <div class="min-w-0">
        <p class="font-semibold">{what}</p>
        <p>
          {title}. {next}
        </p>
        {detail && detail.replace(/\.$/, '') !== title && <p class="muted">{detail}</p>}
        <p class="muted small mt-1">
          {t('problem.code')} <code class="mono select-all">{error.code}</code>
        </p>
        {retry && ![403, 404, 410].includes(error.status) && (
          <button type="button" class="btn mt-2" onClick={retry}>
            {t('action.tryAgain')}
          </button>
        )}
      </div>
    </div>
  );
}
