import { useEffect, useRef, useState } from 'preact/hooks';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Glyph } from '../../components/icons.tsx';
import { capture, fileName, save } from '../../video/capture.ts';

export const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const;
const STEP_MS = 10_000;

interface Props {
  playing: boolean;
  speed: number;
  sound: boolean;
  /** What the clock shows on the screen. */
  clock: string;
  name: string;
  headMs: number;
  video: () => HTMLVideoElement | null;
  onPlay: () => void;
  onSpeed: (speed: number) => void;
  onStep: (ms: number) => void;
  onSound: (on: boolean) => void;
  /** To the next event, or the one before; null: there are none. */
  onMarker: ((back: boolean) => void) | null;
}

/** Buttons for all windows; their letters work wherever nothing is being written. */
export function Transport(props: Props) {
  const { playing, speed, sound, clock, onPlay, onSpeed, onStep, onSound, onMarker } = props;
  const [said, setSaid] = useState('');
  const take = async () => {
    const video = props.video();
    const picture = video && (await capture(video, 'image/jpeg'));
    if (!picture) return setSaid(t('playback.noPicture'));
    const file = fileName(props.name, props.headMs, 'jpg');
    save(picture, file);
    setSaid(t('playback.saved', { file }));
  };
  const keys: Record<string, () => void> = {
    k: onPlay,
    j: () => onStep(-STEP_MS),
    l: () => onStep(STEP_MS),
    c: () => void take(),
    m: () => onSound(!sound),
    n: () => onMarker?.(false),
    b: () => onMarker?.(true),
  };
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as Element;
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return;
      const run = latest.current[event.key];
      if (!run) return;
      event.preventDefault();
      run();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <div class="flex flex-col gap-2">
      <div role="toolbar" aria-label={t('playback.tools')} class="flex flex-wrap items-end gap-2">
        <button type="button" class="btn btn-primary" aria-keyshortcuts="k" onClick={onPlay}>
          {t(playing ? 'playback.pause' : 'playback.play')}
        </button>
        <button type="button" class="btn" aria-keyshortcuts="j" onClick={() => onStep(-STEP_MS)}>
          {t('playback.back')}
        </button>
        <button type="button" class="btn" aria-keyshortcuts="l" onClick={() => onStep(STEP_MS)}>
          {t('playback.on')}
        </button>
        {onMarker && (
          <>
            <button type="button" class="btn" aria-keyshortcuts="b" onClick={() => onMarker(true)}>
              {t('playback.eventBefore')}
            </button>
            <button type="button" class="btn" aria-keyshortcuts="n" onClick={() => onMarker(false)}>
              {t('playback.eventNext')}
            </button>
          </>
        )}
        <button type="button" class="btn" aria-keyshortcuts="c" onClick={() => void take()}>
          <Glyph icon="capture" size={20} />
          {t('playback.capture')}
        </button>
        <button type="button" class="btn" aria-keyshortcuts="m" aria-pressed={sound} onClick={() => onSound(!sound)}>
          <Glyph icon="sound" size={20} />
          {t('playback.sound')}
        </button>
        <div class="w-28">
          <Choice
            label={t('playback.speed')}
            name="speed"
            value={String(speed)}
            onChange={(value) => onSpeed(Number(value))}
            options={SPEEDS.map((one) => [String(one), `${one}×`] as const)}
          />
        </div>
        <output class="playback-clock" aria-live="off">
          {clock}
        </output>
      </div>
      <p role="status" class="small muted empty:hidden">
        {said}
      </p>
    </div>
  );
}
