import type { IsapiFailure } from '../isapi/answer.ts';

/** A device's loudspeaker, opened for whoever speaks. */
export interface Speaker {
  /** What is sent to it, for people. */
  readonly codec: string;
  /** It takes the sound, as far as it lets on: it answered, and it reads. */
  readonly taking: boolean;
  /** Resolves when the device ends it, and says why. */
  readonly ended: Promise<IsapiFailure>;
  /** A piece of µ-law, as long as it takes to be heard; false: the device does not take it now, and it is left out. */
  write(mu: Buffer): boolean;
  /** Closes it on the device, whatever state it is in; never rejects. */
  close(): Promise<void>;
}

/** Half a second of µ-law: a device that has so much unread takes no more. */
export const MAX_UNSENT_BYTES = 4_000;
