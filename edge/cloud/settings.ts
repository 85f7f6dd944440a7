import type { FieldValue, Region, SettingField } from '../../protocol/wire/operations.ts';

export type Fields = Partial<Record<string, SettingField>>;
type Set = Record<string, FieldValue>;

/** At full rate, whatever that is, 25 frames a second are the fewest that are usual. */
const USUAL_RATE = 25;
const WHOLE: Region = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];

/**
 * What has to be set so that a stream can be recorded, in the order that devices take: a smart codec goes off on its own,
 * because with it neither SVC nor the groups are free (isapi.md §7). `lacks`: what was wanted and is not offered.
 */
export function coding(fields: Fields, definition: string | null): { steps: Set[]; lacks: string[] } {
  const steps: Set[] = [];
  const lacks: string[] = [];
  if (isOff(fields.smartCodec) === false) steps.push({ smartCodec: false });
  const rest: Set = {};
  const { resolution, codec, frameRate, govLength, keyFrameInterval, svc } = fields;
  if (definition !== null && resolution?.kind === 'choice' && resolution.value !== definition) {
    if (resolution.options.includes(definition)) rest.resolution = definition;
    else lacks.push(`resolution: ${resolution.value} (wanted: ${definition})`);
  } else if (definition !== null && resolution === undefined) lacks.push(`resolution: ? (wanted: ${definition})`);
  if (codec?.kind === 'choice' && /jpeg/i.test(codec.value ?? '')) {
    const h264 = codec.options.find((one) => /^h\.?264$/i.test(one));
    if (h264) rest.codec = h264;
  }
  const rate = frameRate?.kind === 'choice' ? Number(frameRate.value) : Number.NaN;
  const most = Math.max(1, Math.floor(2 * (rate > 0 ? rate : USUAL_RATE)));
  if (govLength?.kind === 'number' && !within(govLength.value, most)) rest.govLength = most;
  else if (!govLength && keyFrameInterval?.kind === 'number' && !within(keyFrameInterval.value, 2000))
    rest.keyFrameInterval = 2000;
  if (Object.keys(rest).length > 0) steps.push(rest);
  if (svc && isOff(svc) && !svc.readOnly) steps.push({ svc: true });
  return { steps, lacks };
}

/**
 * Who is told and when first, then the detector: switched on, it is in force at once. What a person drew stays, and their
 * times; without a place or a time nothing would ever be recorded, and one that is on already is given them, too.
 */
export function watching(fields: Fields): Set[] {
  const { enabled, notify, aroundTheClock, area } = fields;
  const off = isOff(enabled) === true;
  const never = Object.values(fields).some((field) => field?.kind === 'week' && field.value === '');
  const nowhere = area?.kind === 'regions' && area.value.length === 0;
  const steps: Set[] = [];
  if (isOff(notify)) steps.push({ notify: true });
  if ((off || never) && isOff(aroundTheClock) && !aroundTheClock?.readOnly) steps.push({ aroundTheClock: true });
  if (off || nowhere) steps.push({ ...(nowhere && { area: [WHOLE] }), ...(off && { enabled: true }) });
  return steps;
}

const isOff = (field: SettingField | undefined): boolean | undefined =>
  field?.kind === 'boolean' ? field.value !== true : undefined;
const within = (value: number | null, most: number): boolean => value !== null && value > 0 && value <= most;
