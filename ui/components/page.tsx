import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from './i18n.ts';

let shown = 0;

/** The page's heading. It names the window and takes the focus after a navigation, so that screen readers read it. */
export function Title({ children, suffix = 'Gatepost' }: { children: string; suffix?: string }) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${children} · ${suffix}`;
  }, [children, suffix]);
  useEffect(() => {
    if (shown++ > 0) ref.current?.focus({ preventScroll: true });
  }, []);
  return (
    <h1 ref={ref} tabIndex={-1}>
      {children}
    </h1>
  );
}

/** Grey bars in the place of what is being loaded. */
export function Skeleton({ lines = 4 }: { lines?: number }) {
  return (
    <div role="status" class="flex flex-col gap-2">
      <span class="sr-only">{t('state.loading')}</span>
      {Array.from({ length: lines }, (_, i) => (
        <div key={String(i)} aria-hidden="true" class={`skeleton h-5 rounded ${['w-3/4', 'w-full', 'w-1/2'][i % 3]}`} />
      ))}
    </div>
  );
}

/** A list without items: why, and what to do. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="py-6">
      <p class="font-semibold">{title}</p>
      {children && <div class="muted max-w-prose">{children}</div>}
    </div>
  );
}

/** A box with a heading. */
export function Panel({
  title,
  children,
  action,
  id,
}: {
  title: string;
  children: ComponentChildren;
  action?: ComponentChildren;
  id?: string;
}) {
  const heading = `${id ?? title.replace(/\W+/g, '-')}-heading`;
  return (
    <section class="panel" id={id} aria-labelledby={heading}>
      <div class="mb-3 flex flex-wrap items-center justify-between gap-2">
        <h2 id={heading}>{title}</h2>
        {action}
      </div>
      {children}
    </section>
  );
}

/** Name and value pairs. */
export function Facts({
  items,
}: {
  items: readonly (readonly [name: string, value: ComponentChildren] | false | null)[];
}) {
  return (
    <dl class="facts">
      {items.map(
        (item) =>
          item && (
            <>
              <dt key={item[0]}>{item[0]}</dt>
              <dd>{item[1]}</dd>
            </>
          ),
      )}
    </dl>
  );
}
