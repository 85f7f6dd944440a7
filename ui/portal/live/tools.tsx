import { useEffect, useRef, useState } from 'preact/hooks';
import type { MediaMessage } from '../../../protocol/wire/media.ts';
import { t } from '../../components/i18n.ts';
import { Glyph, type Icon } from '../../components/icons.tsx';
import { formatBytes, formatDuration } from '../../components/time.ts';
import { capture, fileName, save } from '../../video/capture.ts';
import { Recording } from '../../video/recording.ts';
import type { LiveHandle } from './live-window.tsx';
import { TalkLine, type TalkTarget, useTalk } from './talk.tsx';

interface Props extends LiveHandle {
  name: string;
  sound: boolean;
  onSound: (on: boolean) => void;
  /** null: nobody can be spoken to there. */
  talk: TalkTarget | null;
}

interface Tool {
  key: string;
  icon: Icon;
  text: string;
  pressed?: boolean;
  off?: boolean;
  hold?: ReturnType<typeof useTalk>['hold'];
  run: () => void;
}

/** What can be done with the picture that is seen; the letters work while the focus is in the window. */
export function LiveTools({ name, sound, onSound, session, state, shown, stage, talk }: Props) {
  const bar = useRef<HTMLDivElement>(null);
  const [said, setSaid] = useState('');
  const recorder = useRecorder(name, session, setSaid);
  const voice = useTalk(talk);
  const playing = state.state === 'playing';
  const still = async (type: 'image/jpeg' | 'image/png') => {
    const video = shown();
    const picture = video && (await capture(video, type));
    if (!picture) return setSaid(t('liveView.tool.noPicture'));
    const file = fileName(name, Date.now(), type === 'image/png' ? 'png' : 'jpg');
    save(picture, file);
    setSaid(t('liveView.tool.saved', { file }));
  };
  const tools: Tool[] = [
    { key: 'c', icon: 'capture', text: t('liveView.tool.capture'), off: !playing, run: () => void still('image/jpeg') },
    { key: 'p', icon: 'capture', text: t('liveView.tool.png'), off: !playing, run: () => void still('image/png') },
    {
      key: 'r',
      icon: recorder.on ? 'stop' : 'record',
      text: t(recorder.on ? 'liveView.tool.stop' : 'liveView.tool.record'),
      pressed: recorder.on,
      off: !playing && !recorder.on,
      run: recorder.toggle,
    },
    { key: 'm', icon: 'sound', text: t('liveView.tool.sound'), pressed: sound, run: () => onSound(!sound) },
  ];
  if (talk)
    tools.push({
      key: 't',
      icon: 'talk',
      text: t(voice.on ? 'liveView.talk.stop' : 'liveView.talk.start'),
      pressed: voice.on,
      hold: voice.hold,
      run: voice.toggle,
    });
  if (document.fullscreenEnabled)
    tools.push({
      key: 'f',
      icon: 'full',
      text: t('liveView.tool.full'),
      run: () =>
        void (document.fullscreenElement ? document.exitFullscreen() : stage?.requestFullscreen())?.catch(() => {}),
    });
  // Who speaks ends that first, and leaves the window after it.
  const quiet: Tool | null = voice.on ? { key: 'Escape', icon: 'stop', text: '', run: voice.stop } : null;
  const latest = useRef(tools);
  latest.current = quiet ? [...tools, quiet] : tools;
  useEffect(() => {
    const figure = bar.current?.closest('figure');
    const onKey = (event: KeyboardEvent) => {
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        /^(INPUT|SELECT|TEXTAREA)$/.test((event.target as Element).tagName)
      )
        return;
      const tool = latest.current.find(({ key, off }) => key === event.key && !off);
      if (!tool) return;
      event.preventDefault();
      event.stopPropagation();
      tool.run();
    };
    figure?.addEventListener('keydown', onKey);
    return () => figure?.removeEventListener('keydown', onKey);
  }, []);
  return (
    <div ref={bar} class="mt-2 flex flex-col gap-2">
      <div role="toolbar" aria-label={t('liveView.tool.bar', { name })} class="flex flex-wrap gap-2">
        {tools.map(({ key, icon, text, pressed, off, hold, run }) => (
          <button
            key={key}
            type="button"
            class="btn"
            aria-pressed={pressed}
            aria-disabled={off}
            aria-keyshortcuts={key}
            onClick={() => off || run()}
            {...hold}
          >
            <Glyph icon={icon} size={20} />
            {text}
          </button>
        ))}
      </div>
      {talk && <TalkLine state={voice.state} target={talk} />}
      <p role="status" class="small muted empty:hidden">
        {recorder.on
          ? t('liveView.tool.recording', { time: formatDuration(recorder.ms), size: formatBytes(recorder.bytes) })
          : said}
        {recorder.on && recorder.silent && ` ${t('liveView.tool.silent')}`}
      </p>
    </div>
  );
}

/** Records what the camera sends, until it is stopped or the window is left; a stream that changes makes another file. */
function useRecorder(name: string, session: LiveHandle['session'], say: (text: string) => void) {
  const [shown, setShown] = useState<{ ms: number; bytes: number; silent: boolean } | null>(null);
  const running = useRef<{ recording: Recording; leave: () => void; timer: ReturnType<typeof setInterval> } | null>(
    null,
  );
  const keep = (recording: Recording) => {
    const file = recording.file();
    if (!file) return say(t('liveView.tool.nothing'));
    const called = fileName(name, recording.startMs ?? Date.now(), 'mp4');
    save(file, called);
    say(t('liveView.tool.saved', { file: called }));
  };
  const stop = () => {
    const was = running.current;
    if (!was) return;
    running.current = null;
    was.leave();
    clearInterval(was.timer);
    setShown(null);
    keep(was.recording);
  };
  const start = () => {
    const live = session.current;
    if (!live) return;
    const take = (message: MediaMessage) => {
      const was = running.current;
      if (!was) return;
      was.recording.push(message);
      if (!was.recording.over) return;
      keep(was.recording);
      was.recording = new Recording();
      was.recording.push(message);
    };
    const timer = setInterval(() => {
      const { recording } = running.current!;
      setShown({ ms: Math.max(1000, recording.lengthMs), bytes: recording.bytes, silent: recording.silent });
    }, 500);
    running.current = { recording: new Recording(), leave: () => {}, timer };
    setShown({ ms: 1000, bytes: 0, silent: false });
    running.current.leave = live.listen(take);
  };
  useEffect(() => stop, []);
  const on = shown !== null;
  useEffect(() => {
    if (!on) return;
    // What is not saved yet is lost with the page: browsers ask then.
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [on]);
  return { on, ms: 0, bytes: 0, silent: false, ...shown, toggle: on ? stop : start };
}
