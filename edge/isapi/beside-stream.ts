import type { EventType } from '../../protocol/wire/event.ts';
import type { DeviceCategory } from '../../protocol/wire/operations.ts';
import type { Alert } from './alert.ts';
import { isStation, readCallState } from './features/intercom.ts';
import { readZones } from './features/panel-status.ts';
import { ZONE_ALARMS } from './features/security-panel.ts';
import { type IsapiDevice, isAbsent } from './isapi-device.ts';

const RING_POLL_MS = 2_000;
/** Of a door station: its bell in the words of "opened by command" (isapi.md §10; one report only). */
const BELL_OR_COMMAND = 'AccessControllerEvent 3/1024';
const BY_ZONE_TYPE: [RegExp, EventType][] = [
  [/^fire/i, 'fire'],
  [/^gas/i, 'gas'],
  [/^medical/i, 'medical'],
  [/^emergency|panic/i, 'panic'],
];

/**
 * What has to be asked beside the event stream. A panel, once it is open: what began or ended while nobody listened. A door
 * station or doorbell, all the time: whether it rings, because many never tell; not any more once one does.
 */
export class BesideStream {
  readonly #device: IsapiDevice;
  readonly #category: DeviceCategory;
  readonly #onAlert: (alert: Alert) => Promise<void> | void;
  readonly #signal: AbortSignal;
  #tellsCalls = false;
  #ringing = false;
  #asking = false;

  constructor(o: {
    device: IsapiDevice;
    category: DeviceCategory;
    onAlert: (alert: Alert) => Promise<void> | void;
    signal: AbortSignal;
  }) {
    this.#device = o.device;
    this.#category = o.category;
    this.#onAlert = o.onAlert;
    this.#signal = o.signal;
  }

  /** The stream is open. */
  opened(): void {
    if (this.#category === 'panel') void this.#reconcile();
    if (!isStation(this.#category)) return;
    const cancel = this.#device.clock.every(RING_POLL_MS, () => void this.#askForCall(cancel));
    this.#signal.addEventListener('abort', cancel, { once: true });
  }

  /** An alert on its way from the stream. */
  async pass(alert: Alert): Promise<Alert> {
    if (alert.word === 'voiceTalkEvent') this.#tellsCalls = true;
    if (alert.word !== BELL_OR_COMMAND || !isStation(this.#category)) return alert;
    const state = await readCallState(this.#device, this.#signal);
    if (!state.ok || state.value === 'idle') return alert;
    this.#ringing = true;
    return { ...alert, type: 'call', channel: 1, ref: null };
  }

  async #askForCall(stop: () => void): Promise<void> {
    if (this.#tellsCalls || this.#signal.aborted) return stop();
    if (this.#asking) return;
    this.#asking = true;
    const state = await readCallState(this.#device, this.#signal);
    this.#asking = false;
    if (!state.ok) {
      if (isAbsent(state)) stop();
      return;
    }
    const rings = state.value === 'ring';
    if (!rings && !this.#ringing) return;
    this.#ringing = rings;
    await this.#onAlert({ type: 'call', word: 'callStatus', active: rings, ...NOTHING_ELSE, channel: 1 });
  }

  async #reconcile(): Promise<void> {
    const zones = await readZones(this.#device, this.#signal);
    if (!zones.ok) return;
    for (const zone of zones.value) {
      const at = { ...NOTHING_ELSE, channel: zone.id + 1, word: 'zoneStatus' };
      if (zone.alarm === false) await this.#onAlert({ ...at, type: 'zoneAlarm', active: false, sweep: ZONE_ALARMS });
      if (zone.tamper === false)
        await this.#onAlert({ ...at, type: 'deviceTamper', active: false, sweep: ['deviceTamper'] });
      if (zone.alarm !== true) continue;
      const type = BY_ZONE_TYPE.find(([pattern]) => pattern.test(zone.zoneType))?.[1] ?? 'zoneAlarm';
      const area = zone.area !== null && zone.area >= 1 && zone.area <= 99 ? { area: zone.area } : {};
      await this.#onAlert({ ...at, ...area, type, active: true, text: zone.name, assumed: ZONE_ALARMS });
    }
  }
}

const NOTHING_ELSE = { count: null, deviceTime: null, ref: null };
