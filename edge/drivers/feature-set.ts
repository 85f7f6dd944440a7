import type {
  ActionDone,
  ActionName,
  DeviceAction,
  DeviceCapabilities,
  DeviceCategory,
  DeviceListItem,
  FieldValue,
  ListName,
  Resource,
  Section,
  SettingField,
  SettingsChange,
  SettingsWritten,
  Target,
} from '../../protocol/wire/operations.ts';
import { failure, type Result } from '../isapi/answer.ts';
import type { Feature, Offer } from './feature.ts';
import { sameArea } from './regions.ts';

type Offered<D> = { feature: Feature<D>; offer: Offer };

/** The features of one connected device, together: what it can do, and doing it. */
export class FeatureSet<D> {
  readonly #features: readonly Feature<D>[];
  readonly #device: D;
  readonly #category: DeviceCategory;
  #asking: Promise<Offered<D>[]> | null = null;

  constructor(o: { features: readonly Feature<D>[]; device: D; category: DeviceCategory }) {
    this.#features = o.features;
    this.#device = o.device;
    this.#category = o.category;
  }

  async capabilities(signal?: AbortSignal): Promise<DeviceCapabilities> {
    const offers = (await this.#offered(signal)).map(({ offer }) => offer);
    return {
      category: this.#category,
      sections: offers.flatMap((o) => o.sections ?? []),
      lists: offers.flatMap((o) => o.lists ?? []),
      actions: offers.flatMap((o) => o.actions ?? []),
      resources: merged(offers.flatMap((o) => o.resources ?? [])),
      unverified: offers.flatMap((o) => o.unverified ?? []),
    };
  }

  async read(section: Section, at: Target, signal?: AbortSignal): Promise<Result<SettingField[]>> {
    const handler = await this.#section(section, at, signal);
    return handler ? handler.read(this.#device, at, signal) : absent(section);
  }

  /** Read, check, write, read back and compare: "OK" from a device does not prove that it kept anything (isapi.md §0). */
  async write(
    section: Section,
    at: Target,
    set: SettingsChange['set'],
    signal?: AbortSignal,
  ): Promise<Result<SettingsWritten>> {
    const handler = await this.#section(section, at, signal);
    if (!handler?.write) return handler ? failure('conflict', `${section} cannot be changed.`) : absent(section);
    const before = await handler.read(this.#device, at, signal);
    if (!before.ok) return before;
    for (const [name, value] of Object.entries(set)) {
      const fault = fieldFault(
        before.value.find((f) => f.name === name),
        name,
        value,
      );
      if (fault) return failure('invalid-request', fault);
    }
    const written = await handler.write(this.#device, at, set, before.value, signal);
    if (!written.ok) return written;
    const { rebootRequired, away } = written.value;
    if (away) return { ok: true, value: { fields: before.value, notKept: [], rebootRequired } };
    const after = await handler.read(this.#device, at, signal);
    if (!after.ok) return after;
    const notKept = Object.entries(set).flatMap(([name, wanted]) => {
      const field = after.value.find((f) => f.name === name);
      const is = field && field.kind !== 'secret' ? field.value : null;
      return field?.kind === 'secret' || same(wanted, is) ? [] : [{ name, wanted, is }];
    });
    return { ok: true, value: { fields: after.value, notKept, rebootRequired } };
  }

  async list(list: ListName, at: Target, signal?: AbortSignal): Promise<Result<DeviceListItem[]>> {
    const holder = (await this.#offered(signal)).find(({ offer }) =>
      offer.lists?.some((o) => o.list === list && reaches(o.channels, at.channel)),
    );
    const read = holder?.feature.lists?.[list];
    return read ? read(this.#device, at, signal) : absent(list);
  }

  async act(action: DeviceAction, signal?: AbortSignal): Promise<Result<ActionDone>> {
    const channel = 'channel' in action ? action.channel : undefined;
    const holder = (await this.#offered(signal)).find(({ offer }) =>
      offer.actions?.some((o) => o.action === action.action && reaches(o.channels, channel)),
    );
    const run = holder?.feature.actions?.[action.action] as
      | ((device: D, action: DeviceAction, signal?: AbortSignal) => Promise<Result<ActionDone>>)
      | undefined;
    return run ? run(this.#device, action, signal) : absent(action.action satisfies ActionName);
  }

  async #section(section: Section, at: Target, signal?: AbortSignal) {
    const holder = (await this.#offered(signal)).find(({ offer }) =>
      offer.sections?.some(
        (o) =>
          o.section === section &&
          reaches(o.channels, at.channel) &&
          (at.stream === undefined || !o.streams || o.streams.includes(at.stream)),
      ),
    );
    return holder?.feature.sections?.[section];
  }

  /** Asked once a connection, by whoever comes first; one after the other, because cameras take few requests. */
  #offered(signal?: AbortSignal): Promise<Offered<D>[]> {
    this.#asking ??= this.#ask(signal).then((offers) => {
      // Broken off half-way: the next one asks again.
      if (signal?.aborted) this.#asking = null;
      return offers;
    });
    return this.#asking;
  }

  async #ask(signal?: AbortSignal): Promise<Offered<D>[]> {
    const offers: Offered<D>[] = [];
    for (const feature of this.#features) {
      if (signal?.aborted) break;
      offers.push({ feature, offer: await feature.offer(this.#device, signal) });
    }
    return offers;
  }
}

/** One resource can have its triggers from one feature and its actions from others. */
function merged(resources: readonly Resource[]): Resource[] {
  const found = new Map<string, Resource>();
  for (const resource of resources) {
    const key = `${resource.kind} ${resource.id}`;
    const known = found.get(key);
    if (!known) {
      found.set(key, resource);
      continue;
    }
    found.set(key, {
      ...known,
      name: known.name || resource.name,
      triggers: [...new Set([...known.triggers, ...resource.triggers])],
      actions: [...new Set([...known.actions, ...resource.actions])],
    });
  }
  return [...found.values()];
}

/** An offer without channels is for the device; one with channels for those, and a caller has to name one. */
const reaches = (channels: number[] | null, channel: number | undefined): boolean =>
  channels === null ? true : channel !== undefined && channels.includes(channel);

const absent = (what: string) => failure('not-found', `It has no such function (${what}).`);

/** Why a field cannot be set to that; null: it can. */
export function fieldFault(field: SettingField | undefined, name: string, value: FieldValue): string | null {
  if (!field) return `${name}: the device has no such setting.`;
  if (field.readOnly) return `${name}: cannot be changed.`;
  if (field.kind === 'boolean') return typeof value === 'boolean' ? null : `${name}: yes or no.`;
  if (field.kind === 'number') {
    const { min, max } = field;
    const fits = typeof value === 'number' && (min === null || value >= min) && (max === null || value <= max);
    return fits ? null : `${name}: a number from ${min ?? '…'} to ${max ?? '…'}.`;
  }
  if (field.kind === 'regions')
    return Array.isArray(value) && value.length <= field.maxRegions ? null : `${name}: at most ${field.maxRegions}.`;
  if (typeof value !== 'string') return `${name}: a text.`;
  if (field.kind === 'choice')
    return field.options.includes(value) ? null : `${name}: one of ${field.options.join(', ')}.`;
  return value.length <= field.maxLength ? null : `${name}: at most ${field.maxLength} characters.`;
}

function same(wanted: FieldValue, is: FieldValue): boolean {
  if (typeof wanted === 'string' && typeof is === 'string') return wanted.trim() === is.trim();
  return Array.isArray(wanted) && Array.isArray(is) ? sameArea(wanted, is) : wanted === is;
}
