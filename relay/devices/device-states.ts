import type { Clock } from '../../protocol/clock.ts';
import type { DeviceItem } from '../../protocol/wire/api.ts';
import type { DeviceRow } from '../db/schema.ts';
import type { HealthStore } from '../health/health.ts';
import type { Presence } from '../health/presence.ts';

/** How old the list of offline devices may be. */
const FRESH_MS = 5_000;

/** How devices are, as their boxes told last; of a box that is gone nothing is known. */
export class DeviceStates {
  readonly #clock: Clock;
  readonly #presence: Presence;
  readonly #health: HealthStore;
  #offline: { ids: string[]; atMono: number } | null = null;

  constructor({ clock, presence, health }: { clock: Clock; presence: Presence; health: HealthStore }) {
    this.#clock = clock;
    this.#presence = presence;
    this.#health = health;
  }

  of({ id, boxSerial }: Pick<DeviceRow, 'id' | 'boxSerial'>): DeviceItem['state'] {
    if (boxSerial === null || !this.#presence.online(boxSerial)) return 'unknown';
    const told = this.#health.get(boxSerial)?.devices.find((device) => device.id === id);
    if (!told || told.state === 'connecting') return 'unknown';
    return told.state === 'online' ? 'online' : 'offline';
  }

  /** Devices of connected boxes that do not work, of every tenant: who lists them filters them by reach. */
  offline(): string[] {
    const now = this.#clock.mono();
    if (this.#offline && now - this.#offline.atMono < FRESH_MS) return this.#offline.ids;
    const ids: string[] = [];
    for (const [serial, health] of this.#health.entries()) {
      if (!this.#presence.online(serial)) continue;
      for (const { id, state } of health.devices) if (state !== 'online' && state !== 'connecting') ids.push(id);
    }
    this.#offline = { ids, atMono: now };
    return ids;
  }
}
