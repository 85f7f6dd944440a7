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
import { readWeek, writeWeek } from '../../protocol/wire/week.ts';
import { failure, type Result } from '../isapi/answer.ts';
import { Slots } from '../isapi/slots.ts';
import type { Feature, Offer } from './feature.ts';
import { sameDrawing } from './regions.ts';

const MAX_WAITING = 32;
/** Actions that read a document of the device, change it and write it back; all others are not held up by such. */
const CHANGING: ReadonlySet<ActionName> = new Set([
  ...(['presetSet', 'presetDelete', 'privacyMaskOn', 'privacyMaskOff', 'syncTime'] as const),
  ...(['channelAdd', 'channelEdit', 'channelDelete', 'channelsSort'] as const),
]);

/** One change of a device at a time: two at once would each write back what they have read, and one would be lost. */
export const oneByOne = () => new Slots(1, MAX_WAITING);

type Offered<D> = { feature: Feature<D>; offer: Offer };

/** The features of one connected device, together: what it can do, and doing it. */
export class FeatureSet<D> {
  readonly #features: readonly Feature<D>[];
  readonly #device: D;
  readonly #category: DeviceCategory;
  readonly #missed: () => number;
  readonly #changes: Slots;
  readonly #offers = new Map<Feature<D>, Offer>();
  /** Not asked yet, or asked while the device did not answer everything. */
  readonly #open: Set<Feature<D>>;
  #asking: Promise<void> | null = null;

  constructor(o: {
    features: readonly Feature<D>[];
    device: D;
    category: DeviceCategory;
    /** How many questions have stayed without an answer for a reason that passes: an offer made meanwhile is asked again. */
    missed?: () => number;
    /** Of the device, where its features are made anew while it is the same; see {@link oneByOne}. */
    changes?: Slots;
  }) {
    this.#features = o.features;
    this.#device = o.device;
    this.#category = o.category;
    this.#missed = o.missed ?? (() => 0);
    this.#changes = o.changes ?? oneByOne();
    this.#open = new Set(o.features);
  }

  async capabilities(signal?: AbortSignal): Promise<DeviceCapabilities> {
    await this.#complete(signal);
    const offers = this.#offered().map(({ offer }) => offer);
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
    return handler ? handler.read(this.#device, at, signal) : this.#absent(section);
  }

  /** Read, check, write, read back and compare: "OK" from a device does not prove that it kept anything (isapi.md §0). */
  write(
    section: Section,
    at: Target,
    set: SettingsChange['set'],
    signal?: AbortSignal,
  ): Promise<Result<SettingsWritten>> {
    return this.#change(() => this.#write(section, at, set, signal), signal);
  }

  async #write(
    section: Section,
    at: Target,
    set: SettingsChange['set'],
    signal?: AbortSignal,
  ): Promise<Result<SettingsWritten>> {
    const handler = await this.#section(section, at, signal);
    if (!handler?.write) return handler ? failure('conflict', `${section} cannot be changed.`) : this.#absent(section);
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
    const offers = (offer: Offer) =>
      offer.lists?.some((o) => o.list === list && reaches(o.channels, at.channel)) ?? false;
    const holder = await this.#holder(offers, signal);
    const read = holder?.lists?.[list];
    return read ? read(this.#device, at, signal) : this.#absent(list);
  }

  async act(action: DeviceAction, signal?: AbortSignal): Promise<Result<ActionDone>> {
    const channel = 'channel' in action ? action.channel : undefined;
    const offers = (offer: Offer) =>
      offer.actions?.some((o) => o.action === action.action && reaches(o.channels, channel)) ?? false;
    const holder = await this.#holder(offers, signal);
    const run = holder?.actions?.[action.action] as
      | ((device: D, action: DeviceAction, signal?: AbortSignal) => Promise<Result<ActionDone>>)
      | undefined;
    if (!run) return this.#absent(action.action satisfies ActionName);
    const act = () => run(this.#device, action, signal);
    return CHANGING.has(action.action) ? this.#change(act, signal) : act();
  }

  async #change<T>(change: () => Promise<Result<T>>, signal?: AbortSignal): Promise<Result<T>> {
    const release = await this.#changes.take(signal);
    if (!release) return failure('device-error', 'Too many changes of it are waiting.');
    try {
      return await change();
    } finally {
      release();
    }
  }

  async #section(section: Section, at: Target, signal?: AbortSignal) {
    const offers = (offer: Offer) =>
      offer.sections?.some(
        (o) =>
          o.section === section &&
          reaches(o.channels, at.channel) &&
          (at.stream === undefined || !o.streams || o.streams.includes(at.stream)),
      ) ?? false;
    return (await this.#holder(offers, signal))?.sections?.[section];
  }

  /** The feature that offers something; what is known to be there does not wait for what is not known yet. */
  async #holder(offers: (offer: Offer) => boolean, signal?: AbortSignal): Promise<Feature<D> | undefined> {
    const find = () => this.#offered().find(({ offer }) => offers(offer))?.feature;
    const known = find();
    if (known) return known;
    await this.#complete(signal);
    return find();
  }

  #offered(): Offered<D>[] {
    return this.#features.flatMap((feature) => {
      const offer = this.#offers.get(feature);
      return offer ? [{ feature, offer }] : [];
    });
  }

  /**
   * Asks for what is not known yet. Whoever comes first asks for all, so nobody's going away breaks it off; the end of the
   * connection does. A caller stops waiting by its signal.
   */
  async #complete(signal?: AbortSignal): Promise<void> {
    if (this.#open.size === 0 || signal?.aborted) return;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    await settled(this.#asking, signal);
  }

  /** One after the other, because cameras take few requests. */
  async #ask(): Promise<void> {
    for (const feature of [...this.#open]) {
      const before = this.#missed();
      this.#offers.set(feature, await feature.offer(this.#device));
      if (this.#missed() === before) this.#open.delete(feature);
    }
  }

  #absent(what: string) {
    return this.#open.size === 0
      ? failure('not-found', `It has no such function (${what}).`)
      : failure('device-unreachable', `It did not answer when it was asked what it can do (${what}). Try again.`);
  }
}

/** Waits for the end of `work`, or until `signal` says that nobody waits any more. */
function settled(work: Promise<void>, signal?: AbortSignal): Promise<void> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const gone = () => resolve();
    signal.addEventListener('abort', gone, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', gone));
  });
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
  if (field.kind === 'regions' || field.kind === 'lines') {
    if (!Array.isArray(value)) return `${name}: a list.`;
    const [most, isLine] = field.kind === 'lines' ? [field.maxLines, true] : [field.maxRegions, false];
    if (value.length > most) return `${name}: at most ${most}.`;
    const fits = value.every(({ length }) => (length === 2) === isLine);
    return fits ? null : `${name}: ${isLine ? 'two points a line' : 'at least three points an area'}.`;
  }
  if (typeof value !== 'string') return `${name}: a text.`;
  if (field.kind === 'week') return weekFault(name, value, field.maxRanges);
  if (field.kind === 'choice')
    return field.options.includes(value) ? null : `${name}: one of ${field.options.join(', ')}.`;
  return value.length <= field.maxLength ? null : `${name}: at most ${field.maxLength} characters.`;
}

function weekFault(name: string, value: string, maxRanges: number): string | null {
  const week = readWeek(value);
  if (!week || writeWeek(week) !== value) return `${name}: times in order, such as "1 08:00-18:00, 2 00:00-24:00".`;
  const most = Math.max(0, ...[...Map.groupBy(week, ({ day }) => day).values()].map((ranges) => ranges.length));
  return most <= maxRanges ? null : `${name}: at most ${maxRanges} ranges a day.`;
}

function same(wanted: FieldValue, is: FieldValue): boolean {
  if (typeof wanted === 'string' && typeof is === 'string') return wanted.trim() === is.trim();
  return Array.isArray(wanted) && Array.isArray(is) ? sameDrawing(wanted, is) : wanted === is;
}
