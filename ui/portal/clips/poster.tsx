import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../components/i18n.ts';
import { Glyph } from '../../components/icons.tsx';
import { Turns } from '../../components/turns.ts';
import { FirstPicture, isLocked } from './first-picture.tsx';

/** Browsers open six connections to a host over HTTP/1.1; live ones and requests need theirs. */
const turns = new Turns(3);

/** A clip's first picture, fetched when it comes into view; of a device that asks for a code, what to do. */
export function Poster({ clipId, has }: { clipId: string; has: boolean }) {
  const frame = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<'waiting' | 'loading' | 'there' | 'none' | 'locked'>(has ? 'waiting' : 'none');
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
  const end = (state: 'there' | 'none' | 'locked') => {
    leave.current();
    setState(state);
  };
  const onError = async () => end((await isLocked(clipId)) ? 'locked' : 'none');
  return (
    <div
      ref={frame}
      class={`aspect-video overflow-hidden rounded ${state === 'locked' ? 'bg-base-200' : 'bg-black'} ${state === 'none' ? '' : 'relative'}`}
    >
      {state === 'locked' && (
        <span class="small absolute inset-0 flex flex-col items-center justify-center gap-1 p-2 text-center">
          <Glyph icon="lock" />
          {t('clips.locked')}
        </span>
      )}
      {(state === 'waiting' || state === 'loading') && (
        <div aria-hidden="true" class="skeleton absolute inset-0 rounded" />
      )}
      {(state === 'loading' || state === 'there') && (
        <FirstPicture
          clipId={clipId}
          class="h-full w-full object-contain"
          onThere={() => end('there')}
          onError={() => void onError()}
        />
      )}
    </div>
  );
}
