import type { Generated, Selectable } from 'kysely';
import type { ChannelName, NoticeCategory } from '../../protocol/wire/notify.ts';

/** Tables of this folder, part of the relay's Database. */
export interface NotifyTables {
  /** What stands in a person's message centre. `args`: JSON of the values in its text. */
  notifications: {
    /** The order of lists. */
    rowId: Generated<number>;
    id: string;
    userId: string;
    category: NoticeCategory;
    code: string;
    args: string;
    /** Path in the portal, or empty. */
    link: string;
    siteId: string | null;
    createdMs: number;
    readMs: number | null;
  };
  /** JSON of NotifySettings; no row: the defaults. */
  notification_settings: { userId: string; document: string };
  push_subscriptions: {
    id: string;
    userId: string;
    /** The session that last said that this browser wants messages; signing out ends them. */
    sessionId: string;
    endpoint: string;
    p256dh: string;
    auth: string;
    browser: string;
    createdMs: number;
    deliveredMs: number | null;
  };
  /** What is to be delivered; a row is deleted when it was, and kept for a while without its words when it was given up. */
  outbox: {
    rowId: Generated<number>;
    /** Also the e-mail's Message-ID. */
    id: string;
    channel: ChannelName;
    /** Messages of one lane are delivered in order. */
    lane: string;
    address: string;
    name: string;
    /** Whose message it is; null: of somebody who may have no account. */
    userId: string | null;
    locale: string;
    code: string;
    args: string;
    link: string;
    state: 'waiting' | 'failed';
    tries: number;
    reason: string | null;
    createdMs: number;
    /** Not before. */
    dueMs: number;
    /** Given up then; once given up: forgotten then. */
    untilMs: number;
  };
}
export type OutboxRow = Selectable<NotifyTables['outbox']>;
export type NotificationRow = Selectable<NotifyTables['notifications']>;
export type PushSubscriptionRow = Selectable<NotifyTables['push_subscriptions']>;
