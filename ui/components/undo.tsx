import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { ApiError } from './http.ts';
import { t } from './i18n.ts';
import { ProblemPanel } from './problem.tsx';
import { asApiError } from './resource.ts';

const GRACE_MS = 8_000;

interface Pending {
  text: string;
  failed: string;
  run: (leaving: boolean) => Promise<unknown>;
  back: () => void;
  timer: ReturnType<typeof setTimeout>;
}
const pending = signal<Pending | null>(null);
const failure = signal<{ what: string; error: ApiError } | null>(null);

function commit(leaving = false) {
  const task = pending.value;
  if (!task) return;
  clearTimeout(task.timer);
  pending.value = null;
  task.run(leaving).catch((error) => {
    failure.value = { what: task.failed, error: asApiError(error) };
    task.back();
  });
}

/**
 * Does something after a few seconds in which it can be undone; leaving the page does it at once.
 * @param task.text says what was done; `failed` what could not be done; `back` puts the page as it was
 */
export function withUndo(task: Omit<Pending, 'timer'>) {
  commit();
  failure.value = null;
  pending.value = { ...task, timer: setTimeout(commit, GRACE_MS) };
}

/** The place of "… removed. Undo", at the foot of the page. */
export function UndoBar() {
  const button = useRef<HTMLButtonElement>(null);
  const task = pending.value;
  useEffect(() => {
    const leave = () => commit(true);
    addEventListener('pagehide', leave);
    return () => removeEventListener('pagehide', leave);
  }, []);
  useEffect(() => {
    if (task) button.current?.focus();
  }, [task]);
  return (
    <div class="fixed inset-x-0 bottom-0 z-20 flex justify-center p-4 empty:hidden pointer-events-none">
      <div role="status" class="pointer-events-auto max-w-full">
        {task && (
          <div class="flex items-center gap-4 rounded-box border border-neutral bg-base-100 px-4 py-2 shadow-lg">
            <span>{task.text}</span>
            <button
              ref={button}
              type="button"
              class="btn"
              onClick={() => {
                clearTimeout(task.timer);
                pending.value = null;
                task.back();
              }}
            >
              {t('action.undo')}
            </button>
          </div>
        )}
        {failure.value && (
          <div class="flex items-start gap-2 shadow-lg">
            <ProblemPanel error={failure.value.error} what={failure.value.what} />
            <button type="button" class="btn" onClick={() => (failure.value = null)}>
              {t('action.close')}
            </button>
          </div>
        )}
      </div>
    </div>
  );
}
