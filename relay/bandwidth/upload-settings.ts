import type { UploadSettings } from '../../protocol/wire/bandwidth.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { SiteRow } from '../db/schema.ts';
import type { DesiredStates } from '../desired/desired.ts';

/** How a box spends its uplink and its disk: kept in its desired state, section `storage`. */
export class BoxUploads {
  readonly #db: Db;
  readonly #desired: DesiredStates;

  constructor({ db, desired }: { db: Db; desired: DesiredStates }) {
    this.#db = db;
    this.#desired = desired;
  }

  async get(scope: Scope, serial: string): Promise<UploadSettings> {
    await this.#siteOf(scope, serial, 'view');
    const item = (await this.#desired.get(serial)).sections.storage.items[0];
    const { uploadKbps = null, diskBytes = null, window = null } = item ?? {};
    return {
      uploadKbps,
      diskBytes,
      window: window && { fromMinute: window.fromMinute, toMinute: window.toMinute },
    };
  }

  async set(scope: Scope, serial: string, settings: UploadSettings): Promise<SiteRow> {
    const site = await this.#siteOf(scope, serial, 'manage');
    const { uploadKbps, diskBytes, window } = settings;
    const none = uploadKbps === null && diskBytes === null && window === null;
    await this.#desired.change(serial, 'storage', () =>
      none ? [] : [{ id: 'box', uploadKbps, diskBytes, window: window && { ...window, timeZone: site.timeZone } }],
    );
    return site;
  }

  async #siteOf(scope: Scope, serial: string, permission: 'view' | 'manage'): Promise<SiteRow> {
    const box = await this.#db.selectFrom('boxes').select('siteId').where('serial', '=', serial).executeTakeFirst();
    if (!box?.siteId) throw new ProblemError('not-found');
    const site = await scope.site(box.siteId, permission);
    if (!(await scope.holds(site.id, null, permission))) throw new ProblemError('permission-needed');
    return site;
  }
}
