import type {
  DeviceAction,
  DeviceCapabilities,
  ListName,
  Section,
  SettingsChange,
  Target,
} from '../../protocol/wire/operations.ts';
import { failure, type Result } from '../isapi/answer.ts';
import type { Driver } from './driver.ts';
import type { FeatureSet } from './feature-set.ts';

/** The half of a driver that is the same for all: what its device can do is done by its features. */
export abstract class FeatureDriver<D> {
  /** Of the device as it is connected now; null: it was not reached yet. */
  protected abstract features(): FeatureSet<D> | null;

  async capabilities(signal?: AbortSignal): Promise<Result<DeviceCapabilities>> {
    return this.#with(async (f) => ({ ok: true, value: await f.capabilities(signal) }));
  }

  readSettings(section: Section, at: Target, signal?: AbortSignal): ReturnType<Driver['readSettings']> {
    return this.#with((f) => f.read(section, at, signal));
  }

  writeSettings(
    section: Section,
    at: Target,
    set: SettingsChange['set'],
    signal?: AbortSignal,
  ): ReturnType<Driver['writeSettings']> {
    return this.#with((f) => f.write(section, at, set, signal));
  }

  readList(list: ListName, at: Target, signal?: AbortSignal): ReturnType<Driver['readList']> {
    return this.#with((f) => f.list(list, at, signal));
  }

  act(action: DeviceAction, signal?: AbortSignal): ReturnType<Driver['act']> {
    return this.#with((f) => f.act(action, signal));
  }

  async #with<T>(fn: (features: FeatureSet<D>) => Promise<Result<T>>): Promise<Result<T>> {
    const features = this.features();
    return features ? fn(features) : failure('device-unreachable', 'It was not reached yet.');
  }
}
