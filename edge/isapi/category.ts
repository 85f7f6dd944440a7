import type { DeviceCategory } from '../../protocol/wire/operations.ts';

/** By model, because `deviceType` is written in too many ways (isapi.md §4); the more special one first. */
const MODELS: [RegExp, DeviceCategory][] = [
  [/^DS-2TD/i, 'thermalCamera'],
  [/^(DS-2(DE|SE|DF|DY|PT)|i?DS-2(DP|SF))/i, 'ptzCamera'],
  [/^DS-(KB|HD|DB)/i, 'doorbell'],
  [/^DS-K[VD]/i, 'doorStation'],
  [/^DS-KH/i, 'indoorStation'],
  [/^DS-K(1|2|7)/i, 'accessController'],
  [/^DS-(PW|PH|PM|PK)/i, 'panel'],
  [/^(DS-3E|DS-3W)/i, 'switch'],
  [/^DS-(QA|PA)/i, 'speaker'],
  [/^(DS-(TDS|PRS)|.*radar)/i, 'radar'],
  [/^(i?DS-7[12]|DS-[789]\d?\d*.*H[A-Z]*H)/i, 'dvr'],
  [/^(i?DS-[789]\d|iDS-)/i, 'nvr'],
  [/^(i?DS-2)/i, 'camera'],
];
const TYPES: [RegExp, DeviceCategory][] = [
  [/^ipdome|ptz/i, 'ptzCamera'],
  [/^therm/i, 'thermalCamera'],
  [/^ipc/i, 'camera'],
  [/^(dvr|hybrid)/i, 'dvr'],
  [/^nvr/i, 'nvr'],
  [/^(pwa|pha)|panel/i, 'panel'],
  [/^acs|access/i, 'accessController'],
  [/^(vis|door ?station)/i, 'doorStation'],
  [/doorbell/i, 'doorbell'],
  [/indoor/i, 'indoorStation'],
  [/radar/i, 'radar'],
  [/speaker|audio/i, 'speaker'],
  [/switch/i, 'switch'],
];

/** What kind of device it is, from ISAPI deviceInfo. */
export function categoryOf({ model, deviceType }: { model: string; deviceType: string }): DeviceCategory {
  const type = deviceType.trim();
  // DVRs and NVRs share model numbers; there the type is the better witness.
  if (/^(dvr|nvr)$/i.test(type)) return type.toLowerCase() as DeviceCategory;
  const byModel = MODELS.find(([pattern]) => pattern.test(model.trim()))?.[1];
  return byModel ?? TYPES.find(([pattern]) => pattern.test(type))?.[1] ?? 'other';
}
