import { useLocation } from 'preact-iso';
import type { Page } from '../../../protocol/wire/api.ts';
import { type Resource, useAction, useResource } from '../../components/resource.ts';
import { api } from '../session.ts';
import { joinPages } from '../site/lists.ts';

/** A page of a searched list may be short: it is filled up with the next ones, but not for ever. */
const ENOUGH = 25;
const TRIES = 12;

async function pageOf<T extends { id: string }>(
  address: string,
  cursor: string,
  signal?: AbortSignal,
): Promise<Page<T>> {
  const at = (place: string) =>
    `${address}${place && `${address.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(place)}`}`;
  let page = await api.get<Page<T>>(at(cursor), { signal });
  for (let i = 0; i < TRIES && page.items.length < ENOUGH && page.nextCursor; i++) {
    const next = await api.get<Page<T>>(at(page.nextCursor), { signal });
    page = { items: joinPages(page.items, next.items), nextCursor: next.nextCursor };
  }
  return page;
}

/** A list of the API as far as it was read, and how to read on. */
export function useList<T extends { id: string }>(
  address: string,
): {
  list: Resource<Page<T>>;
  more: ReturnType<typeof useAction<[]>>;
} {
  const list = useResource((signal) => pageOf<T>(address, '', signal), [address]);
  const more = useAction(async () => {
    const next = await pageOf<T>(address, list.data!.nextCursor!);
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
  query: string;
} {
  const { query, path, route } = useLocation();
  const filters = Object.fromEntries(names.map((name) => [name, query[name] ?? ''])) as Record<K, string>;
  const text = (values: Record<string, string>) =>
    new URLSearchParams(Object.entries(values).filter(([, value]) => value !== '')).toString();
  const set = (change: Partial<Record<K, string>>) => {
    const next = text({ ...query, ...change } as Record<string, string>);
    route(next ? `${path}?${next}` : path, true);
  };
  return { filters, set, query: text(filters) };
}
