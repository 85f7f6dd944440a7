import type { SoundTrack, VideoTrack } from './sdp.ts';

/** Why a pull ended. Stable codes; `text` is for people and holds no secret. */
export type PullCode =
  | 'stopped'
  | 'unreachable'
  | 'timeout'
  | 'refused'
  | 'forbidden'
  | 'not-found'
  | 'unsupported-transport'
  | 'unsupported-codec'
  | 'protocol'
  | 'busy'
  | 'closed'
  | 'stalled'
  /** Of what was recorded: the camera said that this was all. */
  | 'ended';

export class PullError extends Error {
  readonly code: PullCode;
  /** How long the camera may keep the old session: a busy camera is asked again after it. */
  sessionTimeoutMs = 60_000;

  constructor(code: PullCode, text: string, options?: ErrorOptions) {
    super(text, options);
    this.code = code;
  }
}

/** What a device was found to take: outlives the session. */
export interface KeepAliveMemory {
  method: 'GET_PARAMETER' | 'OPTIONS' | null;
  /** How often in a row it broke the session off when it was asked for its sound. */
  soundFailures?: number;
  /** Which of {@link spellings} of its stream addresses it knows; 0: as they are given. */
  spelling?: number;
}

/** A camera that breaks off twice over its sound is asked for pictures alone. */
export const asksForSound = ({ soundFailures = 0 }: KeepAliveMemory): boolean => soundFailures < 2;

export interface PullHandlers {
  /** What it will send, as soon as that is known: a camera may still keep its sound to itself. */
  described?(track: VideoTrack, sound: SoundTrack | null): void;
  /** The description is read; packets follow. `unheard`: the sound that it offers, where none of it can be taken. */
  track(track: VideoTrack, sound: SoundTrack | null, unheard?: string | null): void;
  /** One RTP packet of the video track: a view that is valid until the call returns. */
  packet(rtp: Buffer): void;
  /** The same of the sound. */
  sound?(rtp: Buffer): void;
  /** A compound RTCP packet of either. */
  report?(of: 'picture' | 'sound', rtcp: Buffer): void;
}
