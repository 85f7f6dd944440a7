import { ProblemError } from '../api/problem.ts';
import type { BoxDevice } from './watching.ts';

/** A box plays 16 recordings at once, 8 of one device: the rest is for whoever owns the site. */
const MAX_OF_BOX = 12;
const MAX_OF_DEVICE = 6;

/** Recordings that are played for companies whose site it is not: they cannot keep its owner out. */
export class GuestPlaces {
  readonly #taken = new Set<{ serial: string; deviceId: string }>();

  /** Returns the release. @throws ProblemError `limit-reached` */
  take({ boxSerial: serial, id: deviceId }: Pick<BoxDevice, 'boxSerial' | 'id'>): () => void {
    const ofBox = [...this.#taken].filter((other) => other.serial === serial);
    if (ofBox.length >= MAX_OF_BOX || ofBox.filter((other) => other.deviceId === deviceId).length >= MAX_OF_DEVICE)
      throw new ProblemError('limit-reached', 'So many recordings are being played already: close another window.');
    const place = { serial, deviceId };
    this.#taken.add(place);
    return () => this.#taken.delete(place);
  }
}
