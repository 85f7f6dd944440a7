import type { VideoKind } from '../../protocol/wire/video.ts';

interface Managed {
  ManagedMediaSource?: typeof MediaSource;
}

/** What pictures are fed to: iPhones have only the managed kind, and before iOS 17.1 none. */
export const mediaSourceClass = (): typeof MediaSource | null =>
  (globalThis as Managed).ManagedMediaSource ??
  (globalThis as { MediaSource?: typeof MediaSource }).MediaSource ??
  null;

export const mimeOf = (codecs: string): string => `video/mp4; codecs="${codecs}"`;
export const playsMp4 = (codecs: string): boolean => mediaSourceClass()?.isTypeSupported(mimeOf(codecs)) ?? false;

/** H.265 main profile at level 4.0, as cameras send it. */
const HEVC = 'hvc1.1.6.L120.90';

/** What this browser plays of what comes through the relay; the relay has the rest converted. */
export const playable = (): VideoKind[] => (playsMp4(HEVC) ? ['h264', 'h265'] : ['h264']);
/** By either way: directly it is asked for by its name in SDP (RFC 7798 §7.1). */
export const playsH265 = (): boolean =>
  playsMp4(HEVC) ||
  (hasWebRtc() &&
    (RTCRtpReceiver.getCapabilities('video')?.codecs.some(({ mimeType }) => /\/h265$/i.test(mimeType)) ?? false));
export const playsSomething = (): boolean => playsMp4('avc1.42e01f');
/** Whether it can be reached directly by the box. */
export const hasWebRtc = (): boolean => typeof globalThis.RTCPeerConnection === 'function';
