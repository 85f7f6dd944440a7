import { useEffect } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { NavItem } from './nav.tsx';
import { Shortcuts, shortcutsOn, typesInto } from './shortcuts.ts';

/** Listens for the keys of shortcuts.ts on every page. */
export function useShortcuts(items: NavItem[], search: boolean): void {
  const { route } = useLocation();
  useEffect(() => {
    const shortcuts = new Shortcuts();
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typesInto(event.target)) return;
      if (!shortcutsOn()) return;
      const go = shortcuts.key(event.key, Date.now());
      if (!go) return;
      const href =
        go === 'search' ? '/search' : go === 'help' ? '/help' : items.find((item) => item.letter === go.letter)?.href;
      if (!href) return;
      event.preventDefault();
      const field = document.querySelector<HTMLInputElement>('input[type=search]');
      if (go === 'search' && field?.checkVisibility()) field.focus();
      else if (go !== 'search' || search) route(href);
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, [items.map((item) => item.href).join(), search]);
}
