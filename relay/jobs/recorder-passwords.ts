import type { z } from 'zod';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import type { RecorderAsk, RecorderView } from '../../protocol/wire/initialise.ts';
import { ProblemError } from '../api/problem.ts';
import type { Db } from '../db/database.ts';

type Seen = Pick<z.infer<typeof DiscoveredDevice>, 'mac' | 'address' | 'model'>;
type Add = Extract<RecorderAsk, { do: 'add' }>;
type Sort = Extract<RecorderAsk, { do: 'sort' }>;
interface Recorder {
  siteId: string;
  mac: string;
  kept: (mac: string) => Promise<string | null>;
  /** What the box itself sees. */
  seen: readonly Seen[];
}

/**
 * Which kept passwords a recorder gets. A recorder may lie about the cameras that it sees and about the addresses of its
 * channels: its word alone gets it nothing.
 */
export class RecorderPasswords {
  readonly #db: Db;

  constructor({ db }: { db: Db }) {
    this.#db = db;
  }

  /** The password of a camera that a person chose by its MAC, where the box sees that MAC at that address, and no other. */
  async forAdding({ siteId, mac, kept, seen }: Recorder, ask: Add): Promise<Add> {
    const cameras: Add['cameras'] = [];
    for (const { mac: chosen, ...camera } of ask.cameras) {
      const known = chosen !== undefined && chosen !== mac && only(seen, camera.address)?.mac === chosen;
      const password = camera.password ?? (known ? await kept(chosen) : null);
      if (known && password !== null) await this.#given(siteId, mac, chosen);
      // The box may have a login of its own; it looks itself whether that MAC is at that address.
      const own = known && camera.password === undefined ? { mac: chosen } : {};
      cameras.push({ ...camera, ...own, ...(password !== null && { password }) });
    }
    return { do: 'add', cameras };
  }

  /** Those that this recorder was given before, where the box still sees the same camera; the others a person enters. */
  async forSorting({ siteId, mac, kept, seen }: Recorder, ask: Sort, { channels }: RecorderView): Promise<Sort> {
    if (inOrder(ask.order)) return { ...ask, passwords: [] };
    const rows = await this.#db
      .selectFrom('recorder_cameras')
      .select('cameraMac')
      .where('siteId', '=', siteId)
      .where('recorderMac', '=', mac)
      .execute();
    const given = new Set(rows.map((row) => row.cameraMac));
    const entered = new Map((ask.passwords ?? []).map((one) => [one.channel, one.password]));
    const passwords: NonNullable<Sort['passwords']> = [];
    const missing: number[] = [];
    for (const { channel, address } of channels) {
      const camera = address === null ? null : only(seen, address);
      const password = entered.get(channel) ?? (camera && given.has(camera.mac) ? await kept(camera.mac) : null);
      if (password === null) missing.push(channel);
      else passwords.push({ channel, password });
    }
    if (missing.length > 0)
      throw new ProblemError(
        'invalid-request',
        `The recorder forgets the passwords of its cameras when they are sorted: enter those of channel ${missing.join(', ')}.`,
        {
          errors: missing.map((channel) => ({
            path: `ask.passwords.${channel}`,
            message: 'Enter the password of the camera.',
          })),
        },
      );
    return { ...ask, passwords };
  }

  async #given(siteId: string, recorderMac: string, cameraMac: string): Promise<void> {
    await this.#db
      .insertInto('recorder_cameras')
      .values({ siteId, recorderMac, cameraMac })
      .onConflict((c) => c.columns(['siteId', 'recorderMac', 'cameraMac']).doNothing())
      .execute();
  }
}

/** Beside what the recorder says of a camera, what the box sees at that address: the person chooses by that. */
export function withSightings(view: RecorderView, seen: readonly Seen[], recorder: string): RecorderView {
  const beside = (address: string) => {
    const device = only(seen, address);
    return device && device.mac !== recorder ? { mac: device.mac, model: device.model } : null;
  };
  return { ...view, seen: view.seen.map((camera) => ({ ...camera, device: beside(camera.address) })) };
}

/** Who alone is at an address. */
function only(seen: readonly Seen[], address: string): Seen | null {
  const at = seen.filter((one) => one.address === address);
  return at.length === 1 && at[0]?.mac ? at[0] : null;
}

const inOrder = (order: readonly number[]): boolean => order.every((n, i) => i === 0 || n > (order[i - 1] as number));
