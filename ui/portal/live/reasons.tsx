import { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { describe } from '../../components/problem.tsx';
import type { LiveState } from '../../video/live-session.ts';
import type { VideoMessage } from '../../video/video-window.tsx';
import { DEVICE_LEVEL, type DeviceState } from '../site/assess.ts';

/** Why there is no picture of a device that is not there; null when it can be asked. */
export function reasonOf(state: DeviceState): VideoMessage | null {
  if (state === 'online') return null;
  const level = DEVICE_LEVEL[state] === 'well' ? 'info' : DEVICE_LEVEL[state];
  return {
    level: level === 'unknown' ? 'attention' : level,
    title: t(`liveView.away.${state}.title`),
    next: t(`liveView.away.${state}.next`),
  };
}

/** H.265 that this browser cannot show, and why nothing was done about it. */
const NOT_SHOWN = new Set(['picture-not-supported', 'codec-not-supported', 'transcode-busy']);
export const isUnplayable = (error: ApiError | null): boolean => error !== null && NOT_SHOWN.has(error.code);

/** What is said over a window whose session has something in its way. */
export function messageOf({ state, error }: LiveState): VideoMessage {
  const again = state === 'refused' ? '' : t('liveView.again');
  if (state === 'stalled' && !error) return { level: 'working', title: t('liveView.stalled'), next: again };
  const { title, next } = describe(error ?? new ApiError('network', 0));
  const level = state === 'refused' ? 'problem' : 'attention';
  return { level, title, next: [next, again].filter(Boolean).join(' ') };
}
