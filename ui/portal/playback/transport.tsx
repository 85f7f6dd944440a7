import { useEffect, useRef, useState } from 'preact/hooks';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Glyph } from '../../components/icons.tsx';
import { capture, fileName, save } from '../../video/capture.ts';

export const SPEEDS = [-8, -4, -2, -1, 0.25, 0.5, 1, 2, 4, 8, 16] as const;
const STEP_MS = 10_000;
const MOST_BACK = 8;

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
  /** One picture; false: what is loaded ends there. */
  onPicture: (back: boolean) => boolean;
  onSound: (on: boolean) => void;
  /** To the next event, or the one before; null: there are none. */
  onMarker: ((back: boolean) => void) | null;
}

/** Buttons for all windows; their letters work wherever nothing is being written. */
export function Transport(props: Props) {
  const { playing, speed, sound, clock, onPlay, onSpeed, onStep, onPicture, onSound, onMarker } = props;
  const [said, setSaid] = useState('');
  const take = async () => {
    const video = props.video();
    const picture = video && (await capture(video, 'image/jpeg'));
    if (!picture) return setSaid(t('playback.noPicture'));
    const file = fileName(props.name, props.headMs, 'jpg');
    save(picture, file);
    setSaid(t('playback.saved', { file }));
  };
  const one = (back: boolean) => {
    const there = onPicture(back);
    setSaid(there ? '' : t(back ? 'playback.noPictureBefore' : 'playback.noPictureNext'));
  };
  const turn = () => onSpeed(-Math.sign(speed) * Math.min(MOST_BACK, Math.max(1, Math.abs(speed))));
  const keys: Record<string, () => void> = {
    ',': () => one(true),
    '.': () => one(false),
    r: turn,
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
        {!playing && (
          <>
            <button type="button" class="btn" aria-keyshortcuts="," onClick={() => one(true)}>
              {t('playback.pictureBefore')}
            </button>
            <button type="button" class="btn" aria-keyshortcuts="." onClick={() => one(false)}>
              {t('playback.pictureNext')}
            </button>
          </>
        )}
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
        <div class="w-36">
          <Choice
            label={t('playback.speed')}
            name="speed"
            value={String(speed)}
            onChange={(value) => onSpeed(Number(value))}
            options={SPEEDS.map((one) => [String(one), speedInWords(one)] as const)}
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

function speedInWords(speed: number): string {
  if (speed < 0) return t('playback.backward', { speed: -speed });
  return `${({ 0.25: '¼', 0.5: '½' } as Record<number, string>)[speed] ?? speed}×`;
}
