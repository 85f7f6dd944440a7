import { useLocation } from 'preact-iso';
import type { Page } from '../../../protocol/wire/api.ts';
import type { Paged } from '../../client/client.ts';
import { type Resource, useAction, useResource } from '../../components/resource.ts';
import { joinPages } from '../site/lists.ts';

/** A page of a searched list may be short: it is filled up with the next ones, but not for ever. */
const ENOUGH = 25;
const TRIES = 12;

async function pageOf<T extends { id: string }>(
  paged: Paged<T>,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<Page<T>> {
  let page = await paged.page(cursor, signal);
  for (let i = 0; i < TRIES && page.items.length < ENOUGH && page.nextCursor; i++) {
    const next = await paged.page(page.nextCursor, signal);
    page = { items: joinPages(page.items, next.items), nextCursor: next.nextCursor };
  }
  return page;
}

/** A list of the API as far as it was read, and how to read on. */
export function useList<T extends { id: string }>(
  paged: Paged<T>,
): {
  list: Resource<Page<T>>;
  more: ReturnType<typeof useAction<[]>>;
} {
  const list = useResource((signal) => pageOf(paged, null, signal), [paged.address]);
  const more = useAction(async () => {
    const next = await pageOf(paged, list.data!.nextCursor);
    list.set((page) => ({ items: joinPages(page.items, next.items), nextCursor: next.nextCursor }));
  });
  return { list, more };
}

/** Filters that stand in the address, so that a page can be kept, sent and gone back to. */
export function useFilters<K extends string>(
  names: readonly K[],
): {
  filters: Record<K, string>;
  set: (change: Partial<Record<K, string>>) => void;
  /** As a query of the API. */
  query: Partial<Record<K, string>>;
} {
  const { query, path, route } = useLocation();
  const filters = Object.fromEntries(names.map((name) => [name, query[name] ?? ''])) as Record<K, string>;
  const text = (values: Record<string, string>) =>
    new URLSearchParams(Object.entries(values).filter(([, value]) => value !== '')).toString();
  const set = (change: Partial<Record<K, string>>) => {
    const next = text({ ...query, ...change } as Record<string, string>);
    route(next ? `${path}?${next}` : path, true);
  };
  const asked = Object.entries(filters).filter(([, value]) => value !== '');
  return { filters, set, query: Object.fromEntries(asked) as Partial<Record<K, string>> };
}
