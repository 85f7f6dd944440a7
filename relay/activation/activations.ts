import { randomInt } from 'node:crypto';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { type Clock, iso } from '../../protocol/clock.ts';
import type {
  ActivateDevices,
  ActivationResult,
  DeviceDefaults,
  KeptPassword,
} from '../../protocol/wire/activation.ts';
import { ActivateResult } from '../../protocol/wire/box-api.ts';
import { devicePasswordFault } from '../../protocol/wire/device-password.ts';
import type { ProblemCode } from '../../protocol/wire/problem.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Vault } from '../auth/vault.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { BoxClient } from '../devices/box-client.ts';

const TIMEOUT_MS = 45_000;
/** At one box; it takes a few more, for who else is at work there. */
const AT_ONCE = 4;
/** After these it is not known whether the device took the password, so it is kept. */
const UNCERTAIN = new Set<ProblemCode>(['box-unreachable', 'device-unreachable', 'device-error', 'internal-error']);

/**
 * First passwords of devices, and the verification codes beside them (INIT-02…05). A password is sealed and stored before the device gets it: what only a closed
 * page knew would be a camera for the bin.
 */
export class Activations {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #vault: Pick<Vault, 'seal' | 'open'>;
  readonly #box: BoxClient;

  constructor(deps: { db: Db; clock: Clock; log: Logger; vault: Pick<Vault, 'seal' | 'open'>; box: BoxClient }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#vault = deps.vault;
    this.#box = deps.box;
  }

  /** One result a device; one that fails does not hold up the others. */
  async activate(scope: Scope, siteId: string, wanted: z.output<typeof ActivateDevices>): Promise<ActivationResult[]> {
    const site = await this.#site(scope, siteId);
    const box = await this.#db
      .selectFrom('boxes')
      .select('state')
      .where('serial', '=', wanted.boxSerial)
      .where('siteId', '=', site.id)
      .executeTakeFirst();
    if (!box) throw new ProblemError('not-found', `Box ${wanted.boxSerial} is not at this site.`);
    if (box.state === 'revoked') throw new ProblemError('box-revoked');
    const { password, verificationCode } = wanted;
    const shared = password.from === 'given' ? password.password : await this.#default(scope.companyId);
    if (password.from === 'default' && shared === null)
      throw new ProblemError('conflict', 'There is no default password yet: enter one, or let one be generated.');
    const code =
      verificationCode.from === 'given'
        ? verificationCode.code
        : verificationCode.from === 'default'
          ? await this.verificationCode(scope.companyId)
          : null;
    if (verificationCode.from === 'default' && code === null)
      throw new ProblemError('conflict', 'There is no default verification code yet: enter one, or leave it out.');
    if (password.from === 'given' && password.keepAsDefault)
      await this.setDefaults(scope, { password: password.password });
    if (verificationCode.from === 'given' && verificationCode.keepAsDefault)
      await this.setDefaults(scope, { verificationCode: verificationCode.code });
    const macs = [...new Set(wanted.macs)];
    const results = new Map<string, ActivationResult>();
    const queue = [...macs];
    const work = async () => {
      for (let mac = queue.shift(); mac; mac = queue.shift()) {
        const first = password.from === 'generated' ? generatePassword() : (shared as string);
        results.set(
          mac,
          await this.#one(scope, { siteId: site.id, boxSerial: wanted.boxSerial, mac, password: first, code }),
        );
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, macs.length) }, work));
    return macs.map((mac) => results.get(mac) as ActivationResult);
  }

  async #one(
    scope: Scope,
    wanted: { siteId: string; boxSerial: string; mac: string; password: string; code: string | null },
  ): Promise<ActivationResult> {
    const { companyId } = scope;
    const { siteId, boxSerial, mac, password, code } = wanted;
    // Of this site alone: what another site keeps of the same MAC is neither sent here nor changed.
    const former = await this.#db
      .selectFrom('device_passwords')
      .selectAll()
      .where('companyId', '=', companyId)
      .where('siteId', '=', siteId)
      .where('mac', '=', mac)
      .executeTakeFirst();
    // Tried again after an outcome that was not known: the device has the first one, if any.
    const first = former && former.activatedMs === null ? this.#open(companyId, mac, former.sealed) : password;
    const values = {
      sealed: this.#seal(companyId, mac, first),
      createdMs: this.#clock.now(),
      activatedMs: null,
    };
    await this.#db
      .insertInto('device_passwords')
      .values({ companyId, siteId, mac, ...values })
      .onConflict((c) => c.columns(['companyId', 'siteId', 'mac']).doUpdateSet(values))
      .execute();
    try {
      const done = await this.#box.json(boxSerial, ActivateResult, 'POST', '/v1/devices/activate', {
        body: { mac, password: first, ...(code !== null && { verificationCode: code }) },
        timeoutMs: TIMEOUT_MS,
      });
      await this.#db
        .updateTable('device_passwords')
        .set({ activatedMs: this.#clock.now() })
        .where('companyId', '=', companyId)
        .where('siteId', '=', siteId)
        .where('mac', '=', mac)
        .execute();
      this.#log.info({ mac, siteId, boxSerial, userId: scope.userId }, 'device activated');
      const { weak, way = null, code: verificationCode = null, issues = [] } = done;
      return { mac, activated: true, weak, way, verificationCode, issues, code: null, detail: null };
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      // What was there before, or nothing, is true again where the device surely did not take this one.
      if (!UNCERTAIN.has(error.code)) await this.#restore({ companyId, siteId, mac }, former);
      const nothing = { way: null, verificationCode: null, issues: [] };
      return { mac, activated: false, weak: false, ...nothing, code: error.code, detail: error.message };
    }
  }

  async #restore(
    { companyId, siteId, mac }: { companyId: string; siteId: string; mac: string },
    former: { sealed: string; createdMs: number; activatedMs: number | null } | undefined,
  ): Promise<void> {
    const { sealed, createdMs, activatedMs } = former ?? {};
    if (sealed === undefined) {
      await this.#db
        .deleteFrom('device_passwords')
        .where('companyId', '=', companyId)
        .where('siteId', '=', siteId)
        .where('mac', '=', mac)
        .execute();
      return;
    }
    await this.#db
      .updateTable('device_passwords')
      .set({ sealed, createdMs, activatedMs })
      .where('companyId', '=', companyId)
      .where('siteId', '=', siteId)
      .where('mac', '=', mac)
      .execute();
  }

  /** Devices of a site whose first password is kept. */
  async kept(scope: Scope, siteId: string): Promise<KeptPassword[]> {
    const site = await this.#site(scope, siteId);
    const rows = await this.#db
      .selectFrom('device_passwords')
      .select(['mac', 'activatedMs'])
      .where('companyId', '=', scope.companyId)
      .where('siteId', '=', site.id)
      .orderBy('createdMs')
      .limit(1_000)
      .execute();
    return rows.map(({ mac, activatedMs }) => ({
      mac,
      activatedAt: activatedMs === null ? null : iso(Number(activatedMs)),
      certain: activatedMs !== null,
    }));
  }

  /** Shows one to a person, for the device's own page. */
  async reveal(scope: Scope, siteId: string, mac: string): Promise<string> {
    const site = await this.#site(scope, siteId);
    scope.must('configure-devices');
    const password = await this.passwordOf(scope.companyId, site.id, mac);
    if (password === null) throw new ProblemError('not-found');
    return password;
  }

  /** The password kept for a device of a site; null: none. */
  async passwordOf(companyId: string, siteId: string, mac: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom('device_passwords')
      .select('sealed')
      .where('companyId', '=', companyId)
      .where('siteId', '=', siteId)
      .where('mac', '=', mac)
      .executeTakeFirst();
    return row ? this.#open(companyId, mac, row.sealed) : null;
  }

  /**
   * A device of a site took another password: where one of the asker's company was kept, this is kept from now on. What
   * another company keeps of it is of no use any more, and the new one is none of its business.
   */
  async replace(
    trx: DbOrTrx,
    { companyId, siteId, mac }: { companyId: string; siteId: string; mac: string },
    password: string,
  ): Promise<void> {
    await trx
      .updateTable('device_passwords')
      .set({ sealed: this.#seal(companyId, mac, password), activatedMs: this.#clock.now() })
      .where('companyId', '=', companyId)
      .where('siteId', '=', siteId)
      .where('mac', '=', mac)
      .execute();
    await trx
      .deleteFrom('device_passwords')
      .where('companyId', '!=', companyId)
      .where('siteId', '=', siteId)
      .where('mac', '=', mac)
      .execute();
  }

  /** Which defaults there are; neither is shown. */
  async defaults(scope: Scope): Promise<DeviceDefaults> {
    scope.must('manage-devices');
    const [password, code] = await Promise.all([
      this.#default(scope.companyId),
      this.verificationCode(scope.companyId),
    ]);
    return { password: password !== null, verificationCode: code !== null };
  }

  /** What is left out stays; null forgets. */
  async setDefaults(
    scope: Scope,
    wanted: { password?: string | null; verificationCode?: string | null },
  ): Promise<void> {
    scope.must('manage-devices');
    const { companyId } = scope;
    const { password, verificationCode } = wanted;
    if (password !== undefined) await this.#set('device_defaults', companyId, `device-default:${companyId}`, password);
    if (verificationCode !== undefined)
      await this.#set('device_default_codes', companyId, `device-default-code:${companyId}`, verificationCode);
  }

  async #set(
    table: 'device_defaults' | 'device_default_codes',
    companyId: string,
    context: string,
    value: string | null,
  ): Promise<void> {
    if (value === null) {
      await this.#db.deleteFrom(table).where('companyId', '=', companyId).execute();
      return;
    }
    const sealed = this.#vault.seal(context, value);
    await this.#db
      .insertInto(table)
      .values({ companyId, sealed })
      .onConflict((c) => c.column('companyId').doUpdateSet({ sealed }))
      .execute();
  }

  /** The verification code kept for new devices; null: none. */
  async verificationCode(companyId: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom('device_default_codes')
      .select('sealed')
      .where('companyId', '=', companyId)
      .executeTakeFirst();
    return row ? this.#vault.open(`device-default-code:${companyId}`, row.sealed) : null;
  }

  async #default(companyId: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom('device_defaults')
      .select('sealed')
      .where('companyId', '=', companyId)
      .executeTakeFirst();
    return row ? this.#vault.open(`device-default:${companyId}`, row.sealed) : null;
  }

  async #site(scope: Scope, siteId: string) {
    const site = await scope.site(siteId, 'manage', 'manage-devices');
    scope.must('manage-devices');
    return site;
  }

  #seal(companyId: string, mac: string, password: string): string {
    return this.#vault.seal(`device-password:${companyId}:${mac}`, password);
  }

  #open(companyId: string, mac: string, sealed: string): string {
    return this.#vault.open(`device-password:${companyId}:${mac}`, sealed);
  }
}

/** No characters that look alike on a label; all classes, so that no firmware calls it weak. */
const KINDS = ['ABCDEFGHJKLMNPQRSTUVWXYZ', 'abcdefghijkmnopqrstuvwxyz', '23456789', '-_.+'];

/** 14 characters, 80 bits. */
export function generatePassword(): string {
  const pick = (from: string) => from[randomInt(from.length)] as string;
  const all = KINDS.slice(0, 3).join('');
  for (;;) {
    const letters = [...KINDS.map(pick), ...Array.from({ length: 10 }, () => pick(all))];
    for (let i = letters.length - 1; i > 0; i--) {
      const j = randomInt(i + 1);
      [letters[i], letters[j]] = [letters[j] as string, letters[i] as string];
    }
    const password = letters.join('');
    if (devicePasswordFault(password) === null) return password;
  }
}
