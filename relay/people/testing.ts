import type { Answer, Call, TestRelay } from '../testing/relay.ts';

export interface Message {
  code: string;
  values: Record<string, string>;
  link: string;
  locale: string;
  /** The token of its link, or the code in its text. */
  secret: string;
}

/** What was sent to an address, the oldest first: the relay of a test has no way out, so that everything waits. */
export async function sentTo(relay: TestRelay, address: string): Promise<Message[]> {
  const rows = await relay.withDb((db) =>
    db.selectFrom('outbox').selectAll().where('address', '=', address).orderBy('rowId').execute(),
  );
  return rows.map(({ code, args, link, locale }) => {
    const values = JSON.parse(args);
    return { code, values, link, locale, secret: link.split('#')[1] ?? values.code ?? '' };
  });
}

/** The newest message to an address. */
export async function lastSentTo(relay: TestRelay, address: string): Promise<Message> {
  const message = (await sentTo(relay, address)).at(-1);
  if (!message) throw new Error(`nothing was sent to ${address}`);
  return message;
}

/** The API as whoever this session is of. */
export const as =
  (relay: TestRelay, session: Answer | { body: { token: string } }): Call =>
  (method, path, body, headers) =>
    relay.call(method, `/api/v1${path}`, body, { authorization: `Bearer ${session.body.token}`, ...headers });

export const anybody =
  (relay: TestRelay): Call =>
  (method, path, body, headers) =>
    relay.call(method, `/api/v1${path}`, body, headers);

/** Invites somebody, who follows the link. */
export async function employ(
  relay: TestRelay,
  inviter: Call,
  person: { email: string; name: string; password: string; roles?: string[] },
): Promise<{ userId: string; api: Call; session: Answer }> {
  const { email, name, password, roles = [] } = person;
  const invited = await inviter('POST', '/employee-invitations', { email, roles });
  if (invited.status !== 201) throw new Error(JSON.stringify(invited.body));
  const { secret: token } = await lastSentTo(relay, email);
  const session = await anybody(relay)('POST', '/auth/invitation/accept', { token, name, password });
  if (session.status !== 201) throw new Error(JSON.stringify(session.body));
  return { userId: session.body.me.userId, api: as(relay, session), session };
}

/** Gives a company employee account add-ons, as a purchase will. */
export const giveSlots = (relay: TestRelay, companyId: string, slots: number) =>
  relay.withDb((db) => db.updateTable('companies').set({ slots }).where('id', '=', companyId).execute());
