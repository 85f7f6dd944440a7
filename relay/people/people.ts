import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Api } from '../api/app.ts';
import type { RemoteAddress } from '../api/remote.ts';
import { Login } from '../auth/login.ts';
import { registerAuthRoutes, SessionCookies } from '../auth/routes.ts';
import type { Sessions } from '../auth/sessions.ts';
import { SecondFactor } from '../auth/totp.ts';
import type { Vault } from '../auth/vault.ts';
import type { Db } from '../db/database.ts';
import type { Notifier } from '../notify/notifier.ts';
import { Account } from './account.ts';
import { registerAccountRoutes } from './account-routes.ts';
import { Companies } from './companies.ts';
import { registerCompanyRoutes } from './company-routes.ts';
import { Employees } from './employees.ts';
import { Invitations } from './invitations.ts';
import { JoinRequests } from './join-requests.ts';
import { registerJoiningRoutes } from './joining-routes.ts';
import { OwnData, type PersonalData } from './own-data.ts';
import { registerPeopleRoutes } from './people-routes.ts';
import { Registrations } from './registration.ts';
import { registerRegistrationRoutes } from './registration-routes.ts';
import { Roles } from './roles.ts';
import { Users } from './users.ts';
import { Verifications } from './verifications.ts';

/** Companies and people: registration, sign-in, own accounts, employees and roles. */
export class People {
  /** Who waits for somebody with an e-mail address or phone hears of it here. */
  readonly users: Users;
  /** The operator decides about authentications here. */
  readonly companies: Companies;
  readonly #login: Login;
  readonly #register: (api: Api) => void;

  constructor(o: {
    db: Db;
    clock: Clock;
    log: Logger;
    sessions: Sessions;
    vault: Vault;
    notifier: Notifier;
    remote: RemoteAddress;
    secureCookies: boolean;
    /** What other capabilities hold of a person. */
    personalData: readonly PersonalData[];
  }) {
    const { db, clock, log, sessions, vault, notifier } = o;
    const secondFactor = new SecondFactor({ db, clock, vault });
    const login = new Login({ db, clock, log, sessions, secondFactor, notifier });
    const verifications = new Verifications({ db, clock });
    const users = new Users({ clock });
    const joins = new JoinRequests({ db, clock, users, notifier });
    const registrations = new Registrations({ db, log, verifications, users, joins, notifier });
    const invitations = new Invitations({ db, clock, users, verifications, notifier });
    const employees = new Employees({ db, sessions, notifier });
    const roles = new Roles({ db, clock });
    const companies = new Companies({ db, clock, notifier });
    const common = { db, clock, log, login, sessions, secondFactor, notifier };
    const account = new Account({ ...common, users, verifications });
    const ownData = new OwnData({ ...common, parts: o.personalData });
    const cookies = new SessionCookies({ remote: o.remote, secure: o.secureCookies });
    this.#login = login;
    this.users = users;
    this.companies = companies;
    this.#register = (api) => {
      registerAuthRoutes(api, { login, sessions, cookies });
      registerRegistrationRoutes(api, {
        db,
        clock,
        registrations,
        invitations,
        account,
        verifications,
        login,
        cookies,
      });
      registerAccountRoutes(api, { account, ownData, cookies });
      registerCompanyRoutes(api, { companies, employees, login, cookies });
      registerPeopleRoutes(api, { employees, roles, ownData });
      registerJoiningRoutes(api, { employees, invitations, joins });
    };
  }

  /** Takes up the failed sign-ins of before a restart. */
  start(): Promise<void> {
    return this.#login.start();
  }

  registerRoutes(api: Api): void {
    this.#register(api);
  }
}
