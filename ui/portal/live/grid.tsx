import { useEffect, useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { t } from '../../components/i18n.ts';
import { Empty } from '../../components/page.tsx';
import { Large } from './large.tsx';
import { LiveWindow } from './live-window.tsx';
import { GRIDS, type LiveTarget, neighbour, type View, viewOf } from './targets.ts';

/** All windows, and one of them large: what is shown stands in the page's address. */
export function LiveGrid({ targets }: { targets: readonly LiveTarget[] }) {
  const { path, query, route } = useLocation();
  const view = viewOf(targets, query);
  const cameFrom = useRef<string | null>(null);
  if (view.large) cameFrom.current = view.large.key;
  const address = (change: Record<string, string | number | null>): string => {
    const { show: _show, ...rest } = query;
    const wanted = Object.entries({ ...rest, ...change }).filter(([, value]) => value !== null);
    const search = new URLSearchParams(wanted.map(([name, value]) => [name, String(value)])).toString();
    return search ? `${path}?${search}` : path;
  };
  if (targets.length === 0) return <Empty title={t('liveView.none')}>{t('liveView.noneNext')}</Empty>;
  const grid = address({});
  if (view.large) return <Large target={view.large} back={grid} onBack={() => route(grid)} />;
  return <Windows view={view} address={address} route={route} cameFrom={cameFrom.current} />;
}

interface WindowsProps {
  view: View;
  address: (change: Record<string, string | number | null>) => string;
  route: (url: string, replace?: boolean) => void;
  /** The window that was large. */
  cameFrom: string | null;
}

function Windows({ view, address, route, cameFrom }: WindowsProps) {
  const list = useRef<HTMLUListElement>(null);
  const { grid, page, pages, shown } = view;
  useEffect(() => {
    const index = shown.findIndex(({ key }) => key === cameFrom);
    list.current?.querySelectorAll<HTMLElement>('.video-open')[index]?.focus();
  }, []);
  const onKey = (event: KeyboardEvent) => {
    const links = [...(list.current?.querySelectorAll<HTMLElement>('.video-open') ?? [])];
    const index = links.indexOf(document.activeElement as HTMLElement);
    if (index < 0) return;
    const columns = getComputedStyle(list.current!).gridTemplateColumns.split(' ').length;
    const next = neighbour(index, links.length, columns, event.key);
    if (next === null) return;
    event.preventDefault();
    links[next]!.focus();
  };
  return (
    <div class="flex flex-col gap-4">
      <div class="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
        <fieldset class="flex gap-2">
          <legend class="sr-only">{t('liveView.grid.label')}</legend>
          {GRIDS.map((size) => (
            <button
              key={size}
              type="button"
              class="btn min-w-11 px-3"
              aria-pressed={size === grid}
              aria-label={t('liveView.grid.size', { count: size })}
              onClick={() => route(address({ grid: size, page: null }), true)}
            >
              {size}
            </button>
          ))}
        </fieldset>
        {pages > 1 && (
          <nav class="flex items-center gap-3" aria-label={t('liveView.pages.label')}>
            {page > 1 && (
              <a class="btn" href={address({ page: page - 1 })}>
                {t('liveView.pages.back')}
              </a>
            )}
            <span>{t('liveView.pages.at', { page, pages })}</span>
            {page < pages && (
              <a class="btn" href={address({ page: page + 1 })}>
                {t('liveView.pages.on')}
              </a>
            )}
          </nav>
        )}
      </div>
      <ul ref={list} class="live-grid" data-grid={grid} onKeyDown={onKey}>
        {shown.map((target) => (
          <li key={target.key}>
            <LiveWindow target={target} stream={grid === 1 ? 'main' : 'sub'} href={address({ show: target.key })} />
          </li>
        ))}
      </ul>
      <p class="muted small">
        {t('liveView.tapLarge')} <span class="pointer-coarse:hidden">{t('liveView.keys')}</span>
      </p>
    </div>
  );
}
