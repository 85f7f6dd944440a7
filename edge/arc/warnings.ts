import { isLearnable } from '../../protocol/dc09/acknowledgement.ts';
import type { WarnableCode } from '../../protocol/wire/warnable.ts';
import type { Warnables } from '../warnables.ts';
import type { ArcAccountConfig, LinkFailure } from './types.ts';

const REASON: Record<LinkFailure['code'], string> = {
  refused: 'it refuses the connection',
  timeout: 'it does not answer',
  reset: 'it breaks the connection off',
  unreachable: 'it cannot be reached',
  'not-allowed': 'the relay may not dial it',
  invalid: 'its answer is not DC-09',
  busy: 'it is busy',
};

const OF_AN_ACCOUNT = [
  'arc-direct-down',
  'arc-second-down',
  'arc-no-path',
  'arc-refused',
  'arc-message-refused',
  'arc-clock',
] as const;

/** What a person should know of one account: which line, what happened, what to do. */
export class AccountWarnings {
  readonly #warnables: Pick<Warnables, 'raise' | 'clear'>;
  readonly #config: ArcAccountConfig;
  readonly #subject: string;

  constructor(warnables: Pick<Warnables, 'raise' | 'clear'>, config: ArcAccountConfig) {
    this.#warnables = warnables;
    this.#config = config;
    this.#subject = `arc:${config.id}`;
  }

  directDown(failure: LinkFailure): void {
    const { host, port } = this.#config.direct;
    this.#raise(
      'arc-direct-down',
      'warning',
      `The direct path to the receiver ${host}:${port} is down: ${REASON[failure.code]} (${failure.text}). Alarms go through the relay. Check the site's internet connection and the receiver's address.`,
    );
  }

  directUp(): void {
    this.#clear('arc-direct-down');
  }

  secondDown(failure: LinkFailure): void {
    this.#raise(
      'arc-second-down',
      'warning',
      `The path to the receiver over the second interface is down: ${REASON[failure.code]} (${failure.text}). Check the cable, the modem and the route of that interface.`,
    );
  }

  secondUp(): void {
    this.#clear('arc-second-down');
  }

  noPath(): void {
    this.#raise(
      'arc-no-path',
      'error',
      'Alarms reach the receiver on no path. They wait on the box and go out as soon as one works. Check the internet connection.',
    );
  }

  somePath(): void {
    this.#clear('arc-no-path');
  }

  refused(why: 'nak' | 'other-key'): void {
    const texts = {
      nak: 'The receiver refuses the messages (NAK). They wait on the box. Check account number, key and clock at both ends.',
      'other-key':
        'The receiver acknowledges with another key or a time far off, so its word does not count. The messages wait on the box. Enter the same key at both ends and check both clocks.',
    };
    this.#raise('arc-refused', 'error', texts[why]);
  }

  gaveUp(code: string): void {
    this.#raise(
      'arc-message-refused',
      'error',
      `The receiver does not take a message of code ${code}; it was given up and is listed as failed. Ask the receiving centre which protocol and codes it takes.`,
    );
  }

  clockOff(offsetMs: number): void {
    const seconds = Math.round(Math.abs(offsetMs) / 1000);
    if (!isLearnable(offsetMs)) {
      this.#raise(
        'arc-clock',
        'error',
        `The receiver refuses messages because of their time: its clock is ${seconds} s ${offsetMs > 0 ? 'ahead of' : 'behind'} this box's, more than is believed. The messages wait on the box. Set the box's clock (time server), or ask the receiving centre to set theirs.`,
      );
      return;
    }
    this.#raise(
      'arc-clock',
      'warning',
      `The receiver's clock is ${seconds} s ${offsetMs > 0 ? 'ahead of' : 'behind'} this box's. Messages carry the receiver's time. Check the time server.`,
    );
  }

  clockRight(): void {
    this.#clear('arc-clock');
  }

  /** The receiver took a message: whatever was wrong with account, key or path is over. */
  delivered(): void {
    this.#clear('arc-refused');
  }

  diskFails(error: Error): void {
    this.#raise(
      'arc-queue-unwritable',
      'error',
      `The queue of alarms cannot be written (${error.message}). Free room on the box's storage or replace it.`,
    );
  }

  diskWorks(): void {
    this.#clear('arc-queue-unwritable');
  }

  clearAll(): void {
    for (const code of OF_AN_ACCOUNT) this.#clear(code);
  }

  #raise(code: WarnableCode, severity: 'warning' | 'error', text: string): void {
    this.#warnables.raise(code, this.#subject, severity, `Account ${this.#config.account}: ${text}`);
  }

  #clear(code: WarnableCode): void {
    this.#warnables.clear(code, this.#subject);
  }
}
