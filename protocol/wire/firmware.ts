import { z } from 'zod';
import { Instant, Serial, Uuid } from './ids.ts';

/*
 * Firmware of devices: packages that the operator keeps for everybody, and ones that an installer brings for a device. A
 * package is a ZIP with one firmware file in it, named in one of three ways (UPG-10):
 *
 *   {name}_V{version}_{date}.zip         test_V4.26.10_230316.zip
 *   {name}_V{version}_Build_{date}.zip   NVR_V5.0.0_Build_220210.zip
 *   {name}_V{version}_build{date}.zip    DVR_V4.26.500_build200518.zip
 *
 *   browser → relay   POST …/firmware         NewPackage → PackageUpload    where to send it
 *                     PUT  {url}              the ZIP                       → FirmwarePackage
 *   box → relay       GET  /box/v1/firmware/{id}   the firmware file; Range; `authorization` as for uploads
 */
export const MAX_PACKAGE_BYTES = 512 * 1024 * 1024;
/** Of the firmware file in it. */
export const MAX_FIRMWARE_BYTES = 1024 * 1024 * 1024;
export const FIRMWARE_PATH = '/box/v1/firmware';

const NAME = /^([^/\\]{1,64}?)_V(\d{1,4}(?:\.\d{1,5}){1,3})_(?:Build_|build)?(\d{6})\.zip$/;

export interface PackageName {
  name: string;
  /** `5.0.0` */
  version: string;
  /** `220210` */
  build: string;
}
/** What the name of a package says; null when it is none of the three forms. */
export function readPackageName(fileName: string): PackageName | null {
  const [, name, version, build] = NAME.exec(fileName) ?? [];
  if (!name || !version || !build) return null;
  const [month, day] = [Number(build.slice(2, 4)), Number(build.slice(4))];
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 ? { name, version, build } : null;
}

/** `V5.7.15 build 240201` as numbers, the build last; null when there is no version in it. */
function versionOf(firmware: string): number[] | null {
  const [, version, build] = /V?(\d{1,4}(?:\.\d{1,5}){1,3})(?:\D{1,12}(\d{6}))?/i.exec(firmware) ?? [];
  if (!version) return null;
  const parts = version.split('.').map(Number);
  return [...parts, ...Array.from({ length: 4 - parts.length }, () => 0), build ? Number(build) : -1];
}

/**
 * Whether `candidate` is newer (1), the same (0) or older (−1) than `current`; null when one of them tells no version. A
 * build counts only where both name one.
 */
export function compareFirmware(candidate: string, current: string): number | null {
  const [a, b] = [versionOf(candidate), versionOf(current)];
  if (!a || !b) return null;
  for (let i = 0; i < 5; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    if (i === 4 && (x < 0 || y < 0)) return 0;
    if (x !== y) return x > y ? 1 : -1;
  }
  return 0;
}

export const firmwareText = ({ version, build }: Pick<PackageName, 'version' | 'build'>): string =>
  `V${version} build ${build}`;

/** A model, or the beginning of several with a `*`: `DS-2CD2386G2*`. */
export const ModelPattern = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9][A-Za-z0-9/()+_.-]{2,62}\*?$/);
export function modelFits(model: string, patterns: readonly string[]): boolean {
  const is = model.trim().toLowerCase();
  return patterns.some((pattern) => {
    const wanted = pattern.toLowerCase();
    return wanted.endsWith('*') ? is.startsWith(wanted.slice(0, -1)) : is === wanted;
  });
}

export const FileName = z
  .string()
  .max(128)
  .refine((name) => readPackageName(name) !== null, 'name_V5.0.0_220210.zip, …_Build_220210.zip or …_build220210.zip');
export const NewPackage = z.object({ fileName: FileName, size: z.int().min(22).max(MAX_PACKAGE_BYTES) });
/** For everybody: the operator says which models it is for. */
export const NewFirmware = NewPackage.extend({
  models: z.array(ModelPattern).min(1).max(200),
  note: z.string().trim().max(1000).default(''),
});
export type NewFirmware = z.input<typeof NewFirmware>;

export const FirmwarePackage = z.object({
  id: Uuid,
  fileName: z.string(),
  /** `V5.0.0 build 220210` */
  version: z.string(),
  models: z.array(z.string()),
  note: z.string(),
  state: z.enum(['uploading', 'ready', 'failed']),
  /** Why it cannot be used. */
  reason: z.string().nullable(),
  /** Of the ZIP. */
  size: z.int(),
  /** Of the firmware file. */
  firmwareSize: z.int().nullable(),
  sha256: z.string().nullable(),
  createdAt: Instant,
  /** A package that an installer brought for one device. */
  deviceId: Uuid.nullable(),
});
export type FirmwarePackage = z.infer<typeof FirmwarePackage>;
/** `url` takes the ZIP by PUT, once, within an hour. */
export const PackageUpload = z.object({ package: FirmwarePackage, url: z.string() });
export type PackageUpload = z.infer<typeof PackageUpload>;

/** A device of a site and what there is for it. */
export const DeviceUpgrade = z.object({
  deviceId: Uuid,
  name: z.string(),
  model: z.string(),
  firmware: z.string(),
  boxSerial: Serial.nullable(),
  online: z.boolean(),
  /** The newest of the catalogue that is newer than what it has. */
  available: FirmwarePackage.nullable(),
  /** What was uploaded for it last. */
  own: FirmwarePackage.nullable(),
  /** A panel that may run in EN 50131 mode: its password is asked for (UPG-05). */
  passwordNeeded: z.boolean(),
});
export type DeviceUpgrade = z.infer<typeof DeviceUpgrade>;

export const StartUpgrades = z.object({
  items: z
    .array(z.object({ deviceId: Uuid, firmwareId: Uuid, password: z.string().min(1).max(128).optional() }))
    .min(1)
    .max(64)
    .refine((all) => new Set(all.map((item) => item.deviceId)).size === all.length, 'each device once'),
});
export type StartUpgrades = z.input<typeof StartUpgrades>;
/** One job a box; a device that could not be put into one says why. */
export const UpgradesStarted = z.object({
  jobs: z.array(z.object({ boxSerial: Serial, jobId: Uuid })),
  refused: z.array(z.object({ deviceId: Uuid, code: z.string(), detail: z.string() })),
});
export type UpgradesStarted = z.infer<typeof UpgradesStarted>;

/** What an `upgrade` job of a box is made of. */
export const UpgradeItem = z.object({
  deviceId: Uuid,
  name: z.string().max(128),
  firmwareId: Uuid,
  version: z.string().max(64),
  size: z.int().min(1).max(MAX_FIRMWARE_BYTES),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Empty: whatever the device itself makes of it. */
  models: z.array(z.string().max(64)).max(200),
  /** What a person entered, where the device asks for it (UPG-05). */
  password: z.string().max(128).nullable(),
});
export type UpgradeItem = z.infer<typeof UpgradeItem>;
export const UPGRADE_STEPS = ['package', 'check', 'send', 'install', 'restart', 'verify'] as const;
export type UpgradeStep = (typeof UPGRADE_STEPS)[number];
