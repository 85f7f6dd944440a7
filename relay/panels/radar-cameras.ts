import type { Kysely } from 'kysely';
import type { Clock } from '../../protocol/clock.ts';
import type { LinkedCamera, RadarCamera } from '../../protocol/wire/panels.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Database, DeviceRow } from '../db/schema.ts';

/** Types of devices that have pictures. */
const WITH_PICTURES = new Set(['encoding', 'doorbell', 'intercom']);

/** Cameras linked to radars (RADR-04): one a radar, at the same site. */
export class RadarCameras {
  readonly #db: Kysely<Database>;
  readonly #clock: Clock;

  constructor(o: { db: Kysely<Database>; clock: Clock }) {
    this.#db = o.db;
    this.#clock = o.clock;
  }

  /** A camera that was taken away or is at another site now is linked no more. */
  async of(scope: Scope, radarId: string): Promise<LinkedCamera> {
    const radar = isRadar(await scope.device(radarId, 'view'));
    const camera = await this.#db
      .selectFrom('radar_cameras as l')
      .innerJoin('devices as d', 'd.id', 'l.cameraId')
      .select(['l.cameraId', 'l.channel', 'd.name'])
      .where('l.radarId', '=', radar.id)
      .where('d.siteId', '=', radar.siteId)
      .where('d.deletedAt', 'is', null)
      .where(scope.reaches('d.siteId', 'd.id', 'list'))
      .executeTakeFirst();
    return { camera: camera ?? null };
  }

  async link(scope: Scope, radarId: string, { cameraId, channel }: RadarCamera): Promise<DeviceRow> {
    const radar = isRadar(await scope.device(radarId, 'configure'));
    const camera = await scope.device(cameraId, 'configure');
    if (camera.siteId !== radar.siteId) {
      throw new ProblemError('conflict', `${camera.name} is at another site: link a camera of the radar's own site.`);
    }
    if (!WITH_PICTURES.has(camera.type) || camera.channelCount === 0) {
      throw new ProblemError('conflict', `${camera.name} has no pictures: link a camera.`);
    }
    const row = { cameraId, channel, createdMs: this.#clock.now() };
    await this.#db
      .insertInto('radar_cameras')
      .values({ radarId, ...row })
      .onConflict((c) => c.column('radarId').doUpdateSet(row))
      .execute();
    return radar;
  }

  async unlink(scope: Scope, radarId: string): Promise<DeviceRow> {
    const radar = isRadar(await scope.device(radarId, 'configure'));
    await this.#db.deleteFrom('radar_cameras').where('radarId', '=', radarId).execute();
    return radar;
  }
}

function isRadar(device: DeviceRow): DeviceRow {
  if (device.type === 'radar') return device;
  throw new ProblemError('conflict', `${device.name} is no radar.`);
}
