import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DialGuard } from '../arc/dial-guard.ts';
import type { Sessions } from '../auth/sessions.ts';
import type { Db } from '../db/database.ts';
import { EmailChannel, type MailSettings, type PublicUrl, parseFrom } from './email.ts';
import { NotifyLive } from './live.ts';
import { Notifier } from './notifier.ts';
import { Outbox } from './outbox.ts';
import { PushChannel } from './push.ts';
import { SmsChannel, type SmsSender, WebhookSmsSender } from './sms.ts';
import { vapidKeys } from './vapid-file.ts';

export interface NotifyOptions {
  smtp?: MailSettings;
  /** An operator's SMS gateway: its webhook, or a sender of another kind. */
  sms?: { url: string; token?: string } | SmsSender;
  /** Messages that may wait on each channel. */
  maxWaiting?: number;
}

/** Everything that tells people something: notifier, outbox and the channels that it goes out on. */
export class Notify {
  readonly notifier: Notifier;
  readonly outbox: Outbox;
  readonly push: PushChannel;
  readonly live = new NotifyLive();
  readonly #sessions: Sessions;
  readonly #log: Logger;
  #release: (() => void) | null = null;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    dataDir: string;
    guard: DialGuard;
    sessions: Sessions;
    publicUrl: PublicUrl;
    options: NotifyOptions;
  }) {
    const { db, clock, log, guard, publicUrl, options } = deps;
    const { smtp, sms } = options;
    const sender = sms && 'url' in sms ? new WebhookSmsSender(sms) : (sms ?? null);
    // Throws now, not at the first message.
    parseFrom(smtp?.from, null);
    const subject = () => {
      const url = publicUrl();
      return url?.protocol === 'https:' ? url.origin : `mailto:${parseFrom(smtp?.from, url).address}`;
    };
    this.push = new PushChannel({ db, clock, guard, keys: vapidKeys(deps.dataDir), subject });
    const channels = [new EmailChannel({ smtp, publicUrl }), new SmsChannel({ sender, publicUrl }), this.push];
    this.outbox = new Outbox({ db, clock, log, channels, maxWaiting: options.maxWaiting });
    this.notifier = new Notifier({ db, clock, log, outbox: this.outbox, live: this.live });
    this.#sessions = deps.sessions;
    this.#log = log;
  }

  start(): void {
    this.#release = this.#sessions.onEnd((sessionId) => {
      this.push
        .sessionEnded(sessionId)
        .catch((error) => this.#log.error({ err: error }, 'a browser could not be forgotten'));
    });
    this.notifier.start();
  }

  async stop(): Promise<void> {
    this.#release?.();
    await this.notifier.stop();
  }
}
