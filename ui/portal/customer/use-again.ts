import { useEffect, useRef } from 'preact/hooks';

const AGAIN_MS = 15_000;

/** Calls `fn` every now and then while the page is seen, and when it is seen again. */
export function useAgain(fn: () => void): void {
  const latest = useRef(fn);
  latest.current = fn;
  useEffect(() => {
    const again = () => document.visibilityState === 'visible' && latest.current();
    const timer = setInterval(again, AGAIN_MS);
    document.addEventListener('visibilitychange', again);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', again);
    };
  }, []);
}
