import { useEffect, useRef, useState } from 'preact/hooks';
import { Turns } from './turns.ts';

/** Browsers open six connections to a host over HTTP/1.1; live ones and requests need theirs. */
const turns = new Turns(3);
/** A little longer than the relay waits for a box. */
const LIMIT_MS = 20_000;

type PictureState = 'loading' | 'failed' | Date;

/** When the answer of a request began to come; now where the browser does not tell. */
function answeredAt(src: string): Date {
  const entry = performance.getEntriesByName(new URL(src, location.href).href).at(-1) as
    | PerformanceResourceTiming
    | undefined;
  return new Date(entry?.responseStart ? performance.timeOrigin + entry.responseStart : Date.now());
}

/** A picture that takes time to come: fetched when it is seen, a few at once, given up after a while. */
export function usePicture(src: string, wanted: boolean) {
  const frame = useRef<HTMLDivElement>(null);
  // Known by what it is of: a picture may be there before any effect has run.
  const [turn, setTurn] = useState<string | null>(null);
  const [end, setEnd] = useState<{ src: string; at: Date | null } | null>(null);
  const state: PictureState = end?.src === src ? (end.at ?? 'failed') : 'loading';
  const waiting = wanted && state === 'loading';
  useEffect(() => {
    if (!waiting || !frame.current) return;
    let leave = () => {};
    let timer: ReturnType<typeof setTimeout> | undefined;
    const seen = new IntersectionObserver(
      ([entry]) => {
        if (!entry?.isIntersecting) return;
        seen.disconnect();
        leave = turns.ask(() => {
          setTurn(src);
          timer = setTimeout(() => setEnd({ src, at: null }), LIMIT_MS);
        });
      },
      { rootMargin: '400px' },
    );
    seen.observe(frame.current);
    return () => {
      seen.disconnect();
      clearTimeout(timer);
      leave();
    };
  }, [src, waiting]);
  return {
    frame,
    state,
    /** To be put on the `img`; null until it is its turn. */
    image:
      turn === src && state !== 'failed'
        ? { src, onLoad: () => setEnd({ src, at: answeredAt(src) }), onError: () => setEnd({ src, at: null }) }
        : null,
  };
}
