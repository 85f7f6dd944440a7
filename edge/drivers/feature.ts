import type {
  ActionDone,
  ActionName,
  DeviceAction,
  DeviceCapabilities,
  DeviceListItem,
  FieldValue,
  ListName,
  Resource,
  Section,
  SettingField,
  Target,
} from '../../protocol/wire/operations.ts';
import type { Result } from '../isapi/answer.ts';

/** What one feature of a device offers; the driver puts the offers of all features together. */
export interface Offer {
  sections?: DeviceCapabilities['sections'];
  lists?: DeviceCapabilities['lists'];
  actions?: DeviceCapabilities['actions'];
  resources?: Resource[];
  unverified?: string[];
}

export interface SectionHandler<D> {
  read(device: D, at: Target, signal?: AbortSignal): Promise<Result<SettingField[]>>;
  /**
   * Writes `set`, whose names and values were checked against `fields` as just read. It does not read back: the driver does, and
   * compares. `away`: the device restarts or has left its address, so that nothing can be read back now.
   */
  write?(
    device: D,
    at: Target,
    set: Record<string, FieldValue>,
    fields: SettingField[],
    signal?: AbortSignal,
  ): Promise<Result<{ rebootRequired: boolean; away?: boolean }>>;
}

/**
 * A capability of a family of devices (`D`: what a driver of this family hands to its features). `offer` asks the device
 * what it has of it; it is asked once a connection, so what a device lacks is not asked again and again. Only one that the
 * device did not answer in full is asked again.
 */
export interface Feature<D> {
  offer(device: D, signal?: AbortSignal): Promise<Offer>;
  sections?: Partial<Record<Section, SectionHandler<D>>>;
  lists?: Partial<Record<ListName, (device: D, at: Target, signal?: AbortSignal) => Promise<Result<DeviceListItem[]>>>>;
  actions?: {
    [N in ActionName]?: (
      device: D,
      action: Extract<DeviceAction, { action: N }>,
      signal?: AbortSignal,
    ) => Promise<Result<ActionDone>>;
  };
}
