import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { ListedMessage, OutputConfig, ReceiverOutput, SaveOutput } from '../../protocol/wire/receiver.ts';
import { ProblemError } from '../api/problem.ts';
import type { DialGuard } from '../arc/dial-guard.ts';
import { mustBeDialable } from '../arc/dial-guard.ts';
import { postTarget } from '../arc/post.ts';
import type { Scope } from '../auth/scope.ts';
import type { Vault } from '../auth/vault.ts';
import type { Db } from '../db/database.ts';
import type { ReceivingCentre } from './centre.ts';
import { toMessage } from './message.ts';
import type { OutputRow } from './outputs/outputs.ts';
import { newWebhookSecret } from './outputs/webhook-signature.ts';
import type { Ports } from './ports.ts';
import { mustBeCentre } from './rights.ts';

const MAX_OUTPUTS = 10;

/** Outputs of a centre, as its people and programs set them up. */
export class OutputAdmin {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #vault: Vault;
  readonly #guard: DialGuard;
  readonly #centre: ReceivingCentre;
  readonly #ports: Ports;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    vault: Vault;
    guard: DialGuard;
    centre: ReceivingCentre;
    ports: Ports;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#vault = deps.vault;
    this.#guard = deps.guard;
    this.#centre = deps.centre;
    this.#ports = deps.ports;
  }

  async list(scope: Scope): Promise<ReceiverOutput[]> {
    mustBeCentre(scope);
    return this.#centre.outputs.list(scope.companyId);
  }

  async add(scope: Scope, wanted: SaveOutput): Promise<ReceiverOutput & { webhookSecret: string | null }> {
    mustBeCentre(scope);
    const id = uuidv7(this.#clock.now());
    const secret = wanted.config.kind === 'webhook' ? newWebhookSecret() : null;
    const last = await this.#lastRow();
    const row: OutputRow = {
      id,
      owner: scope.companyId,
      createdMs: this.#clock.now(),
      acknowledgedMs: null,
      // Pull begins with what comes from now on.
      cursor: last,
      ...(await this.#columns(id, wanted, secret ?? wanted.key ?? null)),
    };
    await this.#db.transaction().execute(async (trx) => {
      const { count } = await trx
        .selectFrom('receiver_outputs')
        .select((e) => e.fn.countAll<number>().as('count'))
        .where('owner', '=', scope.companyId)
        .executeTakeFirstOrThrow();
      if (Number(count) >= MAX_OUTPUTS)
        throw new ProblemError('limit-reached', `There are ${MAX_OUTPUTS} outputs, as many as there may be.`);
      await trx.insertInto('receiver_outputs').values(row).execute();
    });
    await this.#centre.outputs.reload(id);
    this.#log.info({ outputId: id, kind: row.kind, userId: scope.userId }, 'output added');
    return { ...(await this.#centre.outputs.show(row)), webhookSecret: secret };
  }

  /** What waits stays, and goes the new way. Another kind is another output. */
  async change(scope: Scope, id: string, wanted: SaveOutput): Promise<ReceiverOutput> {
    const old = await this.row(scope, id);
    if (wanted.config.kind !== old.kind)
      throw new ProblemError('conflict', 'An output stays what it is: add another one and remove this one.');
    const columns = await this.#columns(id, wanted, wanted.key ?? null);
    // A key that is not given stays; an empty one takes it away.
    const sealed = old.kind === 'dc09' && wanted.key !== undefined ? columns.sealed : old.sealed;
    await this.#db
      .updateTable('receiver_outputs')
      .set({ ...columns, sealed })
      .where('id', '=', id)
      .execute();
    await this.#centre.outputs.reload(id);
    this.#log.info({ outputId: id, userId: scope.userId }, 'output changed');
    return this.#centre.outputs.show(await this.row(scope, id));
  }

  /** A new secret at once: the old one is not good any more. */
  async newSecret(scope: Scope, id: string): Promise<ReceiverOutput & { webhookSecret: string }> {
    const row = await this.row(scope, id);
    if (row.kind !== 'webhook') throw new ProblemError('conflict', 'Only a webhook has a secret.');
    const webhookSecret = newWebhookSecret();
    const sealed = this.#vault.seal(purpose(id), webhookSecret);
    await this.#db.updateTable('receiver_outputs').set({ sealed }).where('id', '=', id).execute();
    await this.#centre.outputs.reload(id);
    this.#log.info({ outputId: id, userId: scope.userId }, 'secret of a webhook changed');
    return { ...(await this.#centre.outputs.show({ ...row, sealed })), webhookSecret };
  }

  /** With what waited for it. */
  async remove(scope: Scope, id: string): Promise<string> {
    const { name } = await this.row(scope, id);
    await this.#db.transaction().execute(async (trx) => {
      await trx.deleteFrom('receiver_outputs').where('id', '=', id).execute();
      await trx.deleteFrom('receiver_deliveries').where('outputId', '=', id).execute();
      await trx.deleteFrom('receiver_sequences').where('outputId', '=', id).execute();
    });
    await this.#centre.outputs.reload(id);
    await this.#ports.release(id);
    this.#log.info({ outputId: id, userId: scope.userId }, 'output removed');
    return name;
  }

  async test(scope: Scope, id: string, account: string): Promise<{ name: string; messageId: string }> {
    const row = await this.row(scope, id);
    if (row.enabled === 0) throw new ProblemError('conflict', 'This output is off: nothing is sent to it.');
    return { name: row.name, messageId: await this.#centre.test(row, account) };
  }

  /** Newest first, with what became of each. `before`: a row's number. */
  async messages(scope: Scope, o: { before: number | null; limit: number }): Promise<ListedMessage[]> {
    mustBeCentre(scope);
    const rows = await this.#db
      .selectFrom('receiver_messages')
      .selectAll()
      .where('owner', '=', scope.companyId)
      .$if(o.before !== null, (q) => q.where('rowId', '<', o.before ?? 0))
      .orderBy('rowId', 'desc')
      .limit(o.limit)
      .execute();
    const deliveries = await this.#db
      .selectFrom('receiver_deliveries')
      .selectAll()
      .where('messageRowId', 'in', [...rows.map((row) => Number(row.rowId)), 0])
      .execute();
    const of = Map.groupBy(deliveries, (delivery) => Number(delivery.messageRowId));
    return rows.map((row) => ({
      ...toMessage(row),
      rowId: Number(row.rowId),
      deliveries: (of.get(Number(row.rowId)) ?? []).map(({ outputId, state, tries, endedMs, reason }) => ({
        outputId,
        state,
        tries,
        reason,
        endedAt: endedMs === null ? null : iso(Number(endedMs)),
      })),
    }));
  }

  async row(scope: Scope, id: string): Promise<OutputRow> {
    mustBeCentre(scope);
    const row = await this.#db
      .selectFrom('receiver_outputs')
      .selectAll()
      .where('id', '=', id)
      .where('owner', '=', scope.companyId)
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found', 'There is no such output.');
    return row;
  }

  async #columns(id: string, { name, enabled, config, repeats }: SaveOutput, secret: string | null) {
    await this.#mustBeUsable(config);
    const { kind } = config;
    // What can carry the mark of a repeat gets it; the others only if it is wished.
    const marked = kind === 'webhook' || kind === 'pull';
    return {
      name,
      kind,
      config: JSON.stringify(config),
      enabled: enabled ? 1 : 0,
      repeats: (repeats ?? marked) ? 1 : 0,
      sealed: secret ? this.#vault.seal(purpose(id), secret) : null,
    };
  }

  async #mustBeUsable(config: OutputConfig): Promise<void> {
    const invalid = (path: string, message: string) =>
      new ProblemError('invalid-request', `${path}: ${message}`, { errors: [{ path: `config.${path}`, message }] });
    if (config.kind === 'dc09') await mustBeDialable(this.#guard, config.host);
    if (config.kind === 'webhook') {
      const target = await postTarget(this.#guard, config.url);
      if ('refused' in target && !target.unknown) throw invalid('url', target.refused);
    }
    if (config.kind !== 'mlr2') return;
    if (config.mode === 'client') {
      if (config.host === null) throw invalid('host', 'where the automation software is reached');
      if (config.port === null) throw invalid('port', 'on which port the automation software is reached');
      await mustBeDialable(this.#guard, config.host);
    } else if (config.peers.length === 0) {
      throw invalid('peers', 'from which addresses the automation software connects');
    } else if (config.port !== null) {
      throw invalid('port', 'the relay chooses it');
    }
  }

  async #lastRow(): Promise<number> {
    const found = await this.#db
      .selectFrom('receiver_messages')
      .select((e) => e.fn.max('rowId').as('last'))
      .executeTakeFirst();
    return Number(found?.last ?? 0);
  }
}

export const purpose = (id: string) => `receiver-output:${id}`;
