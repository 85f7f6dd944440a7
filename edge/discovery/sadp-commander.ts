import { createHash, generateKeyPair, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { failure, type IsapiFailure, type Result } from '../isapi/answer.ts';
import { clean, list, text } from '../isapi/xml.ts';
import { macOf } from './sadp.ts';
import {
  type Addressing,
  command,
  hideNewPassword,
  openCode,
  passwordElement,
  questionList,
  readReasons,
  readReply,
  readState,
  type SadpReply,
  type SadpState,
  updateCommand,
} from './sadp-command.ts';

/** What is needed of the search's sockets. */
export interface SadpChannel {
  /**
   * Sends to the group, once an interface, and again every 500 ms with `repeat`; resolves with the first answer that
   * `read` takes, null when none came in time.
   */
  request<T>(
    datagram: Buffer,
    read: (reply: Buffer, source: string) => T | null,
    o: { timeoutMs: number; repeat?: boolean; signal?: AbortSignal },
  ): Promise<T | null>;
}

const INQUIRY_MS = 2_500;
/** How long after a first answer another one may come, from somebody else in the device's name. */
const OTHERS_MS = 1_000;
const COMMAND_MS = 6_000;
/** A changed address is announced after 2 to 5 s. */
const SETTLE_MS = [1_500, 3_000, 5_000];
const REFUSED_FOR_MS = 30 * 60_000;
/** So many tries stay for a person. */
const RESERVE = 2;

const EXCHANGES = 2;
/** Of one command: a device answers a handful of times, by multicast and unicast. */
const MAX_ANSWERS = 64;

interface Refused {
  mono: number;
  triesLeft: number | null;
  /** Of passwords that this device refused: none is sent twice. */
  passwords: Set<string>;
}

/**
 * Commands to devices that the box hears and cannot talk to otherwise: in a foreign subnet, or without ISAPI. Addressed
 * by MAC. What carries a password is sent once and never repeated: each try counts towards the device's lock-out, so a
 * lost answer is settled by asking how the device is now.
 */
export class SadpCommander {
  readonly #channel: SadpChannel;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #refused = new Map<string, Refused>();

  constructor(o: { channel: SadpChannel; clock: Clock; log: Logger }) {
    this.#channel = o.channel;
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'sadp' });
  }

  /** How the device is now, told by itself. */
  async inquire(mac: string, signal?: AbortSignal): Promise<Result<SadpState>> {
    const id = macOf(mac);
    if (!id) return failure('device-error', `${clean(mac, 20)} is no MAC address.`);
    const datagram = command(randomUUID(), id, 'inquiry');
    const read = (reply: Buffer, source: string) => readState(reply, id, source);
    const [state, ...others] = await this.#hearAll(datagram, read, { timeoutMs: INQUIRY_MS, repeat: true, signal });
    if (state && others.some((other) => voiceOf(other) !== voiceOf(state))) return this.#twoVoices(id);
    if (state) return { ok: true, value: state };
    return failure('device-unreachable', 'It does not answer the search: is it on this network, and SADP switched on?');
  }

  /** Sets addresses (`update`, sadp.md §6); works for a device in a foreign subnet (INIT-21). */
  async setAddressing(mac: string, password: string, to: Addressing, signal?: AbortSignal): Promise<Result<SadpState>> {
    const now = await this.inquire(mac, signal);
    if (!now.ok) return now;
    const device = now.value;
    if (isAt(device, to)) return now;
    const stopped = this.#stopped(device, password);
    if (stopped) return stopped;
    const uuid = randomUUID();
    const datagram = updateCommand(uuid, device, password, to);
    if (!datagram) return tooOld();
    const reply = await this.#once(datagram, (bytes) => readReply(bytes, uuid, device.mac, 'update'), signal);
    if (reply && reply.result !== 'success') return this.#refusal(device, password, reply);
    for (const ms of SETTLE_MS) {
      await this.#clock.sleep(ms, signal);
      const state = await this.inquire(device.mac, signal);
      if (state.ok && isAt(state.value, to)) return state;
    }
    return reply
      ? failure('device-error', 'It took the new address and still answers from the old one: restart it.')
      : failure('device-unreachable', 'It did not answer, and keeps its address.');
  }

  /** First password over `exchangecode` (sadp.md §7.1): for what ISAPI cannot reach. Not proven by a captured device. */
  async activate(mac: string, password: string, signal?: AbortSignal): Promise<Result<{ weak: boolean }>> {
    const now = await this.inquire(mac, signal);
    if (!now.ok) return now;
    const device = now.value;
    if (device.activated === true) return alreadyActivated();
    const hidden = await this.#hidden(device.mac, password, signal);
    if (!hidden.ok) return hidden;
    const reply = await this.#say(device.mac, 'activate', hidden.value, signal);
    if (!reply) {
      const after = await this.inquire(device.mac, signal);
      if (after.ok && after.value.activated === true) return { ok: true, value: { weak: false } };
      return failure('device-unreachable', 'It did not answer to its new password; it says that it is not activated.');
    }
    const { weak } = readReasons(reply.node);
    if (reply.result === 'success') return { ok: true, value: { weak } };
    const after = await this.inquire(device.mac, signal);
    if (after.ok && after.value.activated === true) return alreadyActivated();
    return failure('device-error', weak ? 'It refuses the password as too weak.' : 'It refused to be activated.');
  }

  /** The questions that it wants answered for a new password; `set`: it has answers to them. Unverified. */
  async questions(mac: string, signal?: AbortSignal): Promise<Result<{ id: number; set: boolean }[]>> {
    const id = macOf(mac) ?? mac;
    const reply = await this.#say(id, 'getsecurityquestion', '', signal, true);
    if (!reply) return failure('device-unreachable', 'It did not answer.');
    if (reply.result !== 'success') return failure('device-error', 'It offers no security questions.');
    const found = list(reply.node, 'QuestionList', 'Question').map((q) => ({
      id: Number(text(q, 'ID') || text(q, 'id')),
      set: /^true$/i.test(text(q, 'mark')),
    }));
    return { ok: true, value: found.filter((q) => Number.isInteger(q.id) && q.id > 0).slice(0, 32) };
  }

  /** Keeps answers to three questions (PWD-08). Unverified. */
  async setQuestions(
    mac: string,
    password: string,
    answers: { id: number; answer: string }[],
    signal?: AbortSignal,
  ): Promise<Result<void>> {
    return this.#authenticated(mac, password, 'setsecurityquestion', () => questionList(answers), signal);
  }

  /** Keeps the address that a reset code is sent to (PWD-08). Unverified. */
  async setMailbox(mac: string, password: string, address: string, signal?: AbortSignal): Promise<Result<void>> {
    const mailbox = `<MailBox>${address.replace(/[<>&]/g, '')}</MailBox>`;
    return this.#authenticated(mac, password, 'SetMailBox', () => mailbox, signal);
  }

  /** A new password for the answers to its questions (PWD-07). Wrong answers count as tries. Unverified. */
  async answerReset(
    mac: string,
    answers: { id: number; answer: string }[],
    newPassword: string,
    signal?: AbortSignal,
  ): Promise<Result<void>> {
    const now = await this.inquire(mac, signal);
    if (!now.ok) return now;
    const tried = JSON.stringify(answers);
    const stopped = this.#stopped(now.value, tried);
    if (stopped) return stopped;
    const hidden = await this.#hidden(now.value.mac, newPassword, signal);
    if (!hidden.ok) return hidden;
    const reply = await this.#say(now.value.mac, 'AnswerReset', questionList(answers) + hidden.value, signal);
    if (!reply) return failure('device-unreachable', 'It did not answer: try to log in with the new password.');
    if (reply.result === 'success') return { ok: true, value: undefined };
    return this.#refusal(now.value, tried, reply, 'It refused the answers.');
  }

  /** Lets it go from the cloud account that it is bound to (UNBD-02). Unverified. */
  async unbind(mac: string, password: string, signal?: AbortSignal): Promise<Result<void>> {
    return this.#authenticated(mac, password, 'ezvizUnbind', () => '', signal);
  }

  async #authenticated(
    mac: string,
    password: string,
    type: string,
    body: () => string,
    signal?: AbortSignal,
  ): Promise<Result<void>> {
    const now = await this.inquire(mac, signal);
    if (!now.ok) return now;
    const stopped = this.#stopped(now.value, password);
    if (stopped) return stopped;
    const hidden = passwordElement(now.value, password);
    if (hidden === null) return tooOld();
    const reply = await this.#say(now.value.mac, type, body() + hidden, signal);
    if (!reply) return failure('device-unreachable', 'It did not answer: it may have done it all the same.');
    return reply.result === 'success' ? { ok: true, value: undefined } : this.#refusal(now.value, password, reply);
  }

  /** A new password as `<Password>`, under a random text of the device. */
  async #hidden(mac: string, password: string, signal?: AbortSignal): Promise<Result<string>> {
    const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 1024 });
    const key = publicKey.export({ type: 'pkcs1', format: 'der' }).toString('base64');
    let codes: string[] = [];
    // Not repeated while answers are awaited: a device may make another text for each.
    for (let tries = 0; tries < EXCHANGES && codes.length === 0 && !signal?.aborted; tries++) {
      const uuid = randomUUID();
      const read = (bytes: Buffer) => readReply(bytes, uuid, mac, 'exchangecode')?.code ?? null;
      const datagram = command(uuid, mac, 'exchangecode', `<Code>${key}</Code>`);
      codes = await this.#hearAll(datagram, read, { timeoutMs: INQUIRY_MS, signal });
    }
    if (codes.length === 0) return failure('device-unreachable', 'It gave no random text for the password.');
    const [random, ...others] = new Set(codes.map((code) => openCode(code, privateKey)));
    // Whoever knows the text can read the password.
    if (others.length > 0) return this.#twoVoices(mac);
    if (!random) return failure('device-error', 'Its random text for the password cannot be read.');
    return { ok: true, value: `<Password>${hideNewPassword(random, password)}</Password>` };
  }

  /** All answers up to a second after the first. */
  async #hearAll<T>(
    datagram: Buffer,
    read: (reply: Buffer, source: string) => T | null,
    { signal, ...o }: { timeoutMs: number; repeat?: boolean; signal?: AbortSignal },
  ): Promise<T[]> {
    const heard: T[] = [];
    const enough = new AbortController();
    let cancel = () => {};
    const hear = (reply: Buffer, source: string) => {
      const value = heard.length < MAX_ANSWERS ? read(reply, source) : null;
      if (value === null) return null;
      if (heard.push(value) === 1) cancel = this.#clock.after(OTHERS_MS, () => enough.abort());
      return null;
    };
    const until = signal ? AbortSignal.any([signal, enough.signal]) : enough.signal;
    await this.#channel.request(datagram, hear, { ...o, signal: until });
    cancel();
    return signal?.aborted ? [] : heard;
  }

  #twoVoices(mac: string): IsapiFailure {
    this.#log.warn({ mac }, 'answers of several devices in the name of one');
    return failure(
      'device-error',
      'Several devices answer in its name, and say different things: nothing secret is sent. Find the other one, or use its page.',
    );
  }

  #say(mac: string, type: string, body: string, signal?: AbortSignal, repeat = false): Promise<SadpReply | null> {
    const uuid = randomUUID();
    const read = (bytes: Buffer) => readReply(bytes, uuid, mac, type);
    return this.#once(command(uuid, mac, type, body), read, signal, repeat);
  }

  #once<T>(datagram: Buffer, read: (bytes: Buffer) => T | null, signal?: AbortSignal, repeat = false) {
    return this.#channel.request(datagram, read, { timeoutMs: COMMAND_MS, repeat, signal });
  }

  /** Why no password may be sent to it now; null: it may. */
  #stopped(device: SadpState, password: string): IsapiFailure | null {
    if (device.locked) {
      return failure('device-locked', 'It is locked after wrong passwords: wait half an hour, or restart it.', {
        unlockInMs: REFUSED_FOR_MS,
      });
    }
    const refused = this.#refused.get(device.mac);
    if (!refused || this.#clock.mono() - refused.mono > REFUSED_FOR_MS) return null;
    if (refused.passwords.has(hashOf(password)))
      return failure('device-refused-login', 'It refused this password a moment ago; it is not tried again.');
    if (refused.triesLeft !== null && refused.triesLeft <= RESERVE) {
      return failure(
        'device-locked',
        `It leaves only ${refused.triesLeft} tries before it locks itself; they are kept.`,
        {
          unlockInMs: REFUSED_FOR_MS,
        },
      );
    }
    return null;
  }

  #refusal(device: SadpState, password: string, reply: SadpReply, what?: string): IsapiFailure {
    const { triesLeft, locked } = readReasons(reply.node);
    const fresh = this.#refused.get(device.mac);
    const passwords = fresh && this.#clock.mono() - fresh.mono <= REFUSED_FOR_MS ? fresh.passwords : new Set<string>();
    passwords.add(hashOf(password));
    this.#refused.set(device.mac, { mono: this.#clock.mono(), triesLeft: locked ? 0 : triesLeft, passwords });
    if (this.#refused.size > 2_000) this.#refused.delete(this.#refused.keys().next().value as string);
    this.#log.warn({ mac: device.mac, result: reply.result, triesLeft, locked }, 'the device refused a SADP command');
    if (locked) return failure('device-locked', 'It is locked after wrong passwords.', { unlockInMs: REFUSED_FOR_MS });
    const left = triesLeft === null ? '' : ` It leaves ${triesLeft} tries before it locks itself.`;
    return failure('device-refused-login', `${what ?? 'It refused the password.'}${left}`);
  }
}

/** By what a device and one that speaks in its name differ: who it is, and how it wants its password. */
const voiceOf = (s: SadpState): string => JSON.stringify([s.serial, s.model, s.activated, s.salt]);

const tooOld = (): IsapiFailure =>
  failure(
    'device-error',
    'Its firmware would take the password in plain text only, and so it is not sent that way: set it on its own page, or by its address in a subnet of this box.',
  );

const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex');

const isAt = (device: SadpState, to: Addressing): boolean =>
  to.dhcp
    ? device.dhcp === true
    : device.dhcp !== true &&
      device.address === to.address &&
      device.subnetMask === to.subnetMask &&
      (device.gateway ?? '0.0.0.0') === (to.gateway ?? '0.0.0.0');

const alreadyActivated = (): IsapiFailure =>
  failure('device-error', 'It is activated already: enter the password that it has.', { subStatus: 'hasActivated' });
