import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Api } from '../api/app.ts';
import { Collaborations } from '../collaboration/collaborations.ts';
import { registerCollaborationRoutes } from '../collaboration/routes.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { DesiredStates } from '../desired/desired.ts';
import type { BoxClient } from '../devices/box-client.ts';
import type { DevicesLeave } from '../devices/leaving.ts';
import { registerMoveRoutes } from '../devices/move-routes.ts';
import { Moves } from '../devices/moves.ts';
import { DeviceInvitations } from '../invitations/invitations.ts';
import { registerInvitationRoutes } from '../invitations/routes.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { CustomerDecides } from './rules.ts';
import { ShareNotices } from './share-notices.ts';
import { ShareSender } from './share-sender.ts';
import { Shares } from './shares.ts';
import { Sharings } from './sharing.ts';
import { registerSharingRoutes } from './sharing-routes.ts';
import { customerAdministrator } from './sharing-rules.ts';

/** Sites and devices that several tenants use: shared with customers, given to installers, worked on with partners, moved. */
export class SharedWork {
  readonly #clock: Clock;
  readonly #collaborations: Collaborations;
  readonly #sharings: Sharings;
  readonly #shares: Shares;
  readonly #invitations: DeviceInvitations;
  readonly #moves: Moves;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    notifier: Notifier;
    desired: DesiredStates;
    box: BoxClient;
    /** A connected box belongs to another site now. */
    boxMoved: (serial: string) => Promise<void>;
    leaves: DevicesLeave;
    decides: CustomerDecides;
    /** How browsers reach the portal; null: not known. */
    publicUrl: () => URL | null;
  }) {
    const { db, clock, log, notifier, desired, box, boxMoved, publicUrl, leaves, decides } = deps;
    this.#clock = clock;
    const common = { db, clock, log, notifier };
    const notices = new ShareNotices({ notifier, clock });
    const sender = new ShareSender({ notices, publicUrl });
    this.#collaborations = new Collaborations(common);
    const collaborations = this.#collaborations;
    this.#sharings = new Sharings({ db, clock, log, notices, sender, collaborations, kick: () => notifier.kick() });
    this.#shares = new Shares({ ...common, notices, decides });
    this.#invitations = new DeviceInvitations(common);
    this.#moves = new Moves({ ...common, desired, box, boxMoved, leaves });
  }

  start(): void {
    this.#shares.start();
    this.#invitations.start();
  }

  stop(): void {
    this.#shares.stop();
    this.#invitations.stop();
  }

  /** A site is handed over: who helped until then helps no more. Inside that transaction. */
  endAtHandover(trx: DbOrTrx, siteId: string): Promise<void> {
    return this.#collaborations.endAtHandover(trx, siteId);
  }

  /** A company may not manage a customer's site any more: who helped it there helps no more. Inside that transaction. */
  authorizationOver(trx: DbOrTrx, siteId: string): Promise<void> {
    return this.#collaborations.endAuthorized(trx, siteId);
  }

  /** A site is deleted: nobody shares it nor helps there any more. Inside that transaction, before it is gone. */
  async siteDeleted(trx: DbOrTrx, siteId: string): Promise<void> {
    await this.#sharings.endDeleted(trx, siteId);
    await this.#collaborations.endAtHandover(trx, siteId);
    await this.#collaborations.endAuthorized(trx, siteId);
  }

  /** Somebody proved an address to be his, inside that transaction. */
  registered(trx: DbOrTrx, userId: string): Promise<void> {
    return this.#shares.registered(trx, userId);
  }

  /** The tenant that decides about permissions at a shared site; null: nobody. */
  administrator(db: DbOrTrx, siteId: string): Promise<string | null> {
    return customerAdministrator(db, siteId, this.#clock.now());
  }

  registerRoutes(app: Api): void {
    registerSharingRoutes(app, { sharings: this.#sharings, shares: this.#shares });
    registerInvitationRoutes(app, { invitations: this.#invitations });
    registerCollaborationRoutes(app, { collaborations: this.#collaborations });
    registerMoveRoutes(app, { moves: this.#moves });
  }
}
