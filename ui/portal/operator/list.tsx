import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { Page } from '../../../protocol/wire/api.ts';
import type { Paged } from '../../client/client.ts';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Empty, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { type Resource, useAction, useResource } from '../../components/resource.ts';

export const LIMIT = 50;
/** Typing pauses that long before it is searched. */
const PAUSE_MS = 250;

export type Filters = Record<string, string>;

/** What is searched and filtered stands in the address; `names` are the parameters that the list knows. */
export function useFilters(names: readonly string[]): [Filters, (change: Filters) => void] {
  const { path, query, route } = useLocation();
  const now: Filters = {};
  for (const name of names) if (query[name]) now[name] = query[name];
  const set = (change: Filters) => {
    const next = Object.entries({ ...now, ...change }).filter(([, value]) => value !== '');
    route(next.length > 0 ? `${path}?${new URLSearchParams(next)}` : path, true);
  };
  return [now, set];
}

export const isFiltered = (filters: Filters): boolean => Object.values(filters).some(Boolean);

/** A list of the API, page by page. */
export function usePages<T>(paged: Paged<T>): Resource<Page<T>> & { more: ReturnType<typeof useAction> } {
  const list = useResource((signal) => paged.page(null, signal), [paged.address]);
  const more = useAction(async () => {
    const next = await paged.page(list.data!.nextCursor);
    list.set((page) => ({ items: [...page.items, ...next.items], nextCursor: next.nextCursor }));
  });
  return { ...list, more };
}

/** The field and the choices above a list. */
export function FilterBar({
  label,
  hint,
  filters,
  set,
  choices,
}: {
  label: string;
  hint: string;
  filters: Filters;
  set: (change: Filters) => void;
  choices: { name: string; label: string; options: readonly (readonly [value: string, text: string])[] }[];
}) {
  const [text, setText] = useState(filters.q ?? '');
  const latest = useRef(set);
  latest.current = set;
  useEffect(() => {
    if (text.trim() === (filters.q ?? '')) return;
    const timer = setTimeout(() => latest.current({ q: text.trim() }), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <search class="grid items-end gap-4 sm:grid-cols-2 lg:grid-cols-4">
      <label class="block lg:col-span-2">
        <span class="font-semibold">{label}</span>
        <span class="muted small block">{hint}</span>
        <input
          type="search"
          class="input mt-1"
          value={text}
          maxLength={100}
          autoComplete="off"
          spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      {choices.map((choice) => (
        <Choice
          key={choice.name}
          label={choice.label}
          name={choice.name}
          value={filters[choice.name] ?? ''}
          options={[['', t('operator.all')], ...choice.options]}
          onChange={(value) => set({ [choice.name]: value })}
        />
      ))}
    </search>
  );
}

/** The list itself with what it is before it is there, when it is empty and when it goes on. */
export function Listed<T>({
  list,
  failed,
  none,
  filtered = false,
  children,
}: {
  list: ReturnType<typeof usePages<T>>;
  failed: string;
  none: string;
  /** Whether something is searched or filtered: then that may be why there is nothing. */
  filtered?: boolean;
  children: (items: T[]) => ComponentChildren;
}) {
  const { data, error, reload, more } = list;
  return (
    <>
      <ProblemPanel error={error} what={failed} retry={reload} />
      {!data && !error && <Skeleton lines={8} />}
      <p role="status" class="sr-only">
        {data && t('operator.shown', { count: data.items.length })}
      </p>
      {data?.items.length === 0 && !data.nextCursor && <Empty title={none}>{filtered && t('operator.noneNext')}</Empty>}
      {data && data.items.length > 0 && <div class="panel py-1 md:py-2">{children(data.items)}</div>}
      <ProblemPanel error={more.error} what={failed} />
      {data?.nextCursor && (
        <div>
          <button type="button" class="btn" onClick={() => more.run()} aria-disabled={more.busy}>
            {more.busy ? t('state.loading') : t('operator.more')}
          </button>
        </div>
      )}
    </>
  );
}
