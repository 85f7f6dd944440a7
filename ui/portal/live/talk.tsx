import type { TargetedPointerEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { TalkChance } from '../../../protocol/wire/talk.ts';
import { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { describe } from '../../components/problem.tsx';
import { say } from '../../components/say.ts';
import { socketAddress } from '../../video/media-socket.ts';
import { Talker, type TalkState } from '../../video/talker.ts';

export interface TalkTarget {
  deviceId: string;
  channel: number;
  chance: TalkChance;
}

/** Held for so long, the button is for as long as it is held; shorter, it stays on. */
const HOLD_MS = 500;
/** A click that belongs to a finger that was lifted comes within this time. */
const CLICK_MS = 400;
/** Words of the device or the box tell more than the code. */
const TELLING = new Set(['device-error', 'speaker-codec']);

type Pointer = TargetedPointerEvent<HTMLButtonElement>;

/** Speaking to a channel: ends with the window, the page, and by whoever began it. */
export function useTalk(target: TalkTarget | null) {
  const talker = useRef<Talker | null>(null);
  const [state, setState] = useState<TalkState | null>(null);
  const held = useRef<number | null>(null);
  const lifted = useRef(0);
  const on = state !== null && state.state !== 'over';
  const stop = () => talker.current?.stop();
  const start = () => {
    if (!target || (talker.current && !talker.current.over)) return;
    const { deviceId, channel } = target;
    const path = `/api/v1/devices/${deviceId}/channels/${channel}/talk/socket`;
    talker.current = new Talker({ url: socketAddress(path, {}), onChange: setState });
    void talker.current.start();
  };
  const key = target ? `${target.deviceId}/${target.channel}` : '';
  useEffect(() => {
    const left = () => talker.current?.stop();
    addEventListener('pagehide', left);
    return () => {
      removeEventListener('pagehide', left);
      left();
      talker.current = null;
      setState(null);
    };
  }, [key]);
  const lift = () => {
    const since = held.current;
    held.current = null;
    if (since === null) return;
    lifted.current = performance.now();
    if (lifted.current - since > HOLD_MS) stop();
  };
  return {
    on,
    state,
    stop,
    toggle: () => {
      if (performance.now() - lifted.current < CLICK_MS) return;
      if (on) stop();
      else start();
    },
    /** A finger speaks for as long as it holds the button. */
    hold: {
      onPointerDown: (event: Pointer) => {
        if (event.pointerType === 'mouse' || on) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        held.current = performance.now();
        start();
      },
      onPointerUp: lift,
      onPointerCancel: lift,
      onContextMenu: (event: Event) => held.current !== null && event.preventDefault(),
    },
  };
}

/** How it goes: whether one is heard, how loud, or why not. */
export function TalkLine({ state, target }: { state: TalkState | null; target: TalkTarget }) {
  if (state?.state === 'over' && state.why) {
    const { code, text } = state.why;
    const { title, next } = describe(new ApiError(code, 0));
    return (
      <div role="alert" data-code={code}>
        <State level="attention">
          {title}. {next}
          {TELLING.has(code) && text && <span class="muted small block">{say(text)}</span>}
        </State>
      </div>
    );
  }
  const now = state && state.state !== 'over' ? state.state : null;
  return (
    <>
      <div role="status" data-talk={now ?? 'off'} class="empty:hidden">
        {now && (
          <State level={now === 'heard' ? 'well' : 'working'}>
            <span class="font-semibold">{t(`liveView.talk.${now}`)}</span>
            {target.chance.recorder && <span class="muted small block">{t('liveView.talk.recorder')}</span>}
          </State>
        )}
      </div>
      {state && now && (
        <meter
          class="block h-3 w-48 max-w-full"
          min={0}
          max={1}
          value={state.level}
          aria-label={t('liveView.talk.level')}
        >
          {Math.round(state.level * 100)} %
        </meter>
      )}
    </>
  );
}
