import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export interface Tab {
  key: string;
  href: string;
  current: boolean;
  text: ComponentChildren;
}

/** Pages beside one another. Where not all fit, they are pushed aside; the one that is shown is always in sight. */
export function Tabs({ label, tabs, class: more = '' }: { label: string; tabs: Tab[]; class?: string }) {
  const ref = useRef<HTMLElement>(null);
  const current = tabs.find((tab) => tab.current)?.key;
  useEffect(() => {
    const bar = ref.current;
    const shown = bar?.querySelector<HTMLElement>('[aria-current="page"]');
    // Aside only: scrollIntoView would move the page too.
    if (bar && shown) bar.scrollLeft = shown.offsetLeft - (bar.clientWidth - shown.offsetWidth) / 2;
  }, [current, tabs.length]);
  return (
    <nav
      ref={ref}
      aria-label={label}
      class={`tab-bar -mx-4 border-b border-base-300 px-4 md:mx-0 md:px-0 ${more}`.trim()}
    >
      <ul class="tabs flex gap-4 md:gap-6">
        {tabs.map(({ key, href, current, text }) => (
          <li key={key}>
            <a href={href} aria-current={current ? 'page' : undefined}>
              {text}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
