import type { ComponentChildren, RefObject } from 'preact';
import { useState } from 'preact/hooks';
import type { StreamName } from '../../../protocol/wire/video.ts';
import { t } from '../../components/i18n.ts';
import { Glyph } from '../../components/icons.tsx';
import type { LiveSession, LiveState } from '../../video/live-session.ts';
import { type VideoMessage, VideoWindow } from '../../video/video-window.tsx';
import { INSTALLERS } from '../route.tsx';
import { me } from '../session.ts';
import { isUnplayable, messageOf, reasonOf } from './reasons.tsx';
import type { LiveTarget } from './targets.ts';
import { Unlock } from './unlock.tsx';
import { useInSight, usePageSeen, useSession } from './use-session.ts';

/** What buttons of a window work with. */
export interface LiveHandle {
  session: RefObject<LiveSession | null>;
  state: LiveState;
  /** The element whose picture is seen; null: none moves. */
  shown: () => HTMLVideoElement | null;
  stage: HTMLDivElement | null;
}
interface Props {
  target: LiveTarget;
  stream: StreamName;
  sound?: boolean;
  /** Where a click on the picture leads. */
  href?: string;
  tools?: (handle: LiveHandle) => ComponentChildren;
}

/** One channel, live: its poster, then its pictures, and in their place why there are none. */
export function LiveWindow({ target, stream, sound = false, href, tools }: Props) {
  const { device, channel, name, may } = target;
  const [stage, setStage] = useState<HTMLDivElement | null>(null);
  const inSight = useInSight(stage);
  const pageSeen = usePageSeen();
  const away = reasonOf(target.state);
  const ready = may && away === null;
  const live = useSession({ deviceId: device.id, channel, stream, sound, on: ready && inSight && pageSeen });
  const { state, said, refs } = live;
  const { path, error } = state;
  const locked = state.state === 'refused' && error?.code === 'verification-code-needed';
  const moves = path !== null && state.state === 'playing';
  const shown = () => (path && moves ? refs[path].current : null);
  let message: VideoMessage | null = away;
  if (!may) message = notAllowed(target);
  else if (locked && !away) {
    const action = <Unlock target={target} onOpened={live.again} />;
    message = { level: 'attention', title: t('liveView.code.title'), action };
  } else if (said && !away) {
    message = messageOf(state);
    if (isUnplayable(error)) message.next = t('liveView.h265');
    if (state.state === 'refused')
      message.action = (
        <button type="button" class="btn mt-2" onClick={live.again}>
          {t('action.tryAgain')}
        </button>
      );
  }
  const stands = state.state === 'stalled' && path !== null;
  return (
    <VideoWindow
      label={name}
      state={ready ? state.state : 'away'}
      covered={!moves && !stands}
      poster={ready ? `/api/v1/devices/${device.id}/snapshot?channel=${channel}` : null}
      message={message}
      onStage={setStage}
      marks={
        <>
          {moves && (
            <span class="video-mark" data-path={path}>
              <Glyph icon={path === 'direct' ? 'direct' : 'relay'} size={14} />
              <span class="path-word">{t(`liveView.path.${path}`)}</span>
            </span>
          )}
          {moves && state.slow && <span class="video-mark">{t('liveView.slow')}</span>}
          {moves && state.init?.transcoded && <span class="video-mark">{t('liveView.converted')}</span>}
        </>
      }
      tools={tools?.({ session: live.session, state, shown, stage })}
    >
      <canvas ref={refs.still} class="video-fill" hidden={!stands} />
      {(['relay', 'direct'] as const).map((way) => (
        <video
          key={way}
          ref={refs[way]}
          muted
          playsInline
          tabIndex={-1}
          aria-hidden={path !== way}
          aria-label={name}
          data-shown={moves && path === way}
        />
      ))}
      {href && (
        <a class="video-open" href={href} data-key={target.key}>
          <span class="sr-only">{t('liveView.enlarge', { name })}</span>
        </a>
      )}
    </VideoWindow>
  );
}

function notAllowed({ site }: LiveTarget): VideoMessage {
  const installer = INSTALLERS.some((type) => type === me.value?.company.type);
  return {
    level: 'info',
    title: t('liveView.notAllowed'),
    action: installer && (
      <a class="link" href={`/sites/${site.id}/customer`}>
        {t('liveView.askCustomer')}
      </a>
    ),
  };
}
