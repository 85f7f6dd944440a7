import { useEffect, useRef, useState } from 'preact/hooks';
import { Turns } from '../../components/turns.ts';

/** Browsers open six connections to a host over HTTP/1.1; live ones and requests need theirs. */
const turns = new Turns(3);

/** A clip's first picture, fetched when it comes into view. The relay gives it as a file of one picture. */
export function Poster({ clipId, has }: { clipId: string; has: boolean }) {
  const frame = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<'waiting' | 'loading' | 'there' | 'none'>(has ? 'waiting' : 'none');
  const leave = useRef(() => {});
  useEffect(() => {
    if (!has || !frame.current) return setState('none');
    setState('waiting');
    const seen = new IntersectionObserver(
      ([entry]) => {
        if (!entry?.isIntersecting) return;
        seen.disconnect();
        leave.current = turns.ask(() => setState('loading'));
      },
      { rootMargin: '300px' },
    );
    seen.observe(frame.current);
    return () => {
      seen.disconnect();
      leave.current();
    };
  }, [clipId, has]);
  const end = (state: 'there' | 'none') => {
    leave.current();
    setState(state);
  };
  return (
    <div ref={frame} class={`aspect-video overflow-hidden rounded bg-black ${state === 'none' ? '' : 'relative'}`}>
      {(state === 'waiting' || state === 'loading') && (
        <div aria-hidden="true" class="skeleton absolute inset-0 rounded" />
      )}
      {(state === 'loading' || state === 'there') && (
        <video
          class="h-full w-full object-contain"
          src={`/api/v1/clips/${clipId}/poster#t=0.001`}
          muted
          playsInline
          preload="auto"
          disablePictureInPicture
          tabIndex={-1}
          aria-hidden="true"
          onLoadedData={() => end('there')}
          onError={() => end('none')}
        />
      )}
    </div>
  );
}
