import type { Clock } from '../../protocol/clock.ts';
import type { InitialiseItem } from '../../protocol/wire/initialise.ts';
import { INITIALISE_STEPS, type InitialiseStep } from '../../protocol/wire/initialise.ts';
import { Addressing } from '../../protocol/wire/lan.ts';
import type { DeviceCategory } from '../../protocol/wire/operations.ts';
import { isSame } from '../devices/address.ts';
import type { IsapiFailure, Result } from '../isapi/answer.ts';
import type { ItemProgress } from '../jobs/types.ts';
import type { Finder } from './finder.ts';
import type { Addresses, DeviceInHand, Hands } from './hands.ts';
import { addressingFor, isFor } from './plan.ts';
import { checkBatch, type End, onEachChannel, readDiskOutcomes, readFirmware, said } from './words.ts';

/** A restart takes a device up to three minutes; a new address by DHCP some seconds. */
const BACK_WITHIN_MS = 240_000;
/** Before a device that was told of a new address has left the old one. */
const SETTLE_MS = 3_000;
/** A login whose outcome was lost to a restart of the box is tried once more, not again and again. */
const MAX_LOGINS = 2;
const FORMATTING_POLL_MS = 3_000;
const FORMATTING_WITHIN_MS = 30 * 60_000;

/** What is known of the device over a restart of the box. */
interface Note {
  /** Logins begun and not known to be taken. */
  open: number;
  serial: string;
  category: DeviceCategory | null;
  model: string;
}

/** The checklist of one device, once: what is done already is left out. */
export class DeviceRun {
  readonly #item: InitialiseItem;
  readonly #progress: ItemProgress;
  readonly #signal: AbortSignal;
  readonly #finder: Finder;
  readonly #hands: Hands;
  readonly #clock: Clock;
  #device: DeviceInHand | null = null;
  #host = '';
  #note: Note;

  constructor(o: {
    item: InitialiseItem;
    progress: ItemProgress;
    signal: AbortSignal;
    finder: Finder;
    hands: Hands;
    clock: Clock;
  }) {
    this.#item = o.item;
    this.#progress = o.progress;
    this.#signal = o.signal;
    this.#finder = o.finder;
    this.#hands = o.hands;
    this.#clock = o.clock;
    this.#note = o.progress.note<Note>() ?? { open: 0, serial: '', category: null, model: '' };
  }

  /** A step that fails does not stop the others, unless the device cannot be reached any more. */
  async run(): Promise<'done' | 'failed'> {
    try {
      for (const step of INITIALISE_STEPS) {
        if (this.#signal.aborted) return 'failed';
        if (this.#ended(step)) continue;
        if (this.#lost()) {
          const refused = ['device-refused-login', 'device-locked'].includes(this.#code('login') ?? '');
          this.#progress.step(step, 'skipped', { code: refused ? 'login-failed' : 'not-reached' });
          continue;
        }
        const { category } = this.#note;
        if (category && !isFor(step, category, this.#item.record)) {
          this.#progress.step(step, 'skipped', { code: 'not-for-type' });
          continue;
        }
        this.#progress.step(step, 'running');
        const { state, code = null, text = null } = await this.#do(step);
        if (this.#signal.aborted) return 'failed';
        this.#progress.step(step, state, { code, text });
      }
      return this.#progress.steps().some((s) => s.state === 'failed') ? 'failed' : 'done';
    } finally {
      this.#device?.close();
    }
  }

  #state(step: InitialiseStep) {
    return this.#progress.steps().find((s) => s.step === step)?.state ?? 'waiting';
  }
  #code(step: InitialiseStep): string | null {
    return this.#progress.steps().find((s) => s.step === step)?.code ?? null;
  }
  #ended(step: InitialiseStep): boolean {
    return !['waiting', 'running'].includes(this.#state(step));
  }
  #lost(): boolean {
    return this.#state('login') === 'failed' || this.#state('ping') === 'failed';
  }

  #do(step: InitialiseStep): Promise<End> {
    switch (step) {
      case 'login':
        return this.#login();
      case 'check':
        return this.#check();
      case 'network':
        return this.#with((device) => this.#network(device));
      case 'ping':
        return this.#ping();
      case 'firmware':
        return this.#with(async (device) => readFirmware(device.firmware, this.#item.newestFirmware));
      case 'time':
        return this.#with((device) => this.#time(device));
      case 'storage':
        return this.#with((device) => this.#storage(device));
      case 'motion':
        return this.#with((device) =>
          onEachChannel(device.channels, (channel) => device.watchMotion(channel, this.#signal)),
        );
      case 'encoding':
        return this.#with((device) =>
          onEachChannel(device.channels, (channel) => device.encode(channel, this.#item.record, this.#signal)),
        );
      case 'platform':
        return this.#with((device) => this.#platform(device));
      case 'channels':
        return this.#with((device) => this.#channels(device));
    }
  }

  /** The device, logged in; again after a restart of the box, or when its address changed. */
  async #with(fn: (device: DeviceInHand) => Promise<End>): Promise<End> {
    if (!this.#device) {
      const reached = await this.#reach();
      if (!reached.ok) return { state: 'failed', code: reached.code, text: reached.text };
    }
    return fn(this.#device as DeviceInHand);
  }

  async #login(): Promise<End> {
    const reached = await this.#reach();
    if (!reached.ok) return { state: 'failed', code: reached.code, text: reached.text };
    const { category } = reached.value;
    if (category === 'panel')
      return {
        state: 'failed',
        code: 'panel-excluded',
        text: 'Security control panels are not set up this way: add it to the site and set it up on its own page.',
      };
    return { state: 'done' };
  }

  async #reach(): Promise<Result<DeviceInHand>> {
    const refuse = (code: IsapiFailure['code'], text: string): IsapiFailure => ({ ok: false, code, text });
    const { mac, username, password } = this.#item;
    const found = await this.#finder.find(mac);
    if (!found) return refuse('not-found', 'It is not seen on the LAN any more: check its cable and its power.');
    if (found.activated === false) return refuse('device-not-activated', 'It has no password yet: activate it first.');
    if (this.#finder.rivals(found).length > 0)
      return refuse(
        'conflict',
        `Several devices use the address ${found.address}: the password could go to another one. Change one of them first.`,
      );
    if (!this.#finder.permits(found.address))
      return refuse('device-error', `${found.address} is outside of what this box may reach.`);
    if (this.#note.open >= MAX_LOGINS)
      return refuse(
        'device-error',
        'The box went down twice while it logged in to it. It is not tried again by itself; start it once more.',
      );
    this.#remember({ open: this.#note.open + 1 });
    const at = {
      mac,
      model: found.model,
      host: found.address,
      port: found.httpPort ?? 80,
      username,
      password,
      sadp: found.protocols.includes('sadp'),
    };
    const device = await this.#hands.connect(at, this.#signal);
    // Broken off by the end of the box: whether it counted as a try is not known.
    if (this.#signal.aborted) {
      if (device.ok) device.value.close();
      return refuse('device-unreachable', 'The box stopped.');
    }
    if (!device.ok) {
      this.#remember({ open: 0 });
      return device;
    }
    const { serial, category, model } = device.value;
    const other = !isSame(device.value, { mac, serial: found.serial || null });
    if (other || (this.#note.serial && this.#note.serial !== serial)) {
      // It took the login, so that is settled.
      this.#remember({ open: 0 });
      device.value.close();
      return refuse('conflict', `Another device answers at ${found.address} now: ${model}.`);
    }
    this.#device = device.value;
    this.#host = found.address;
    this.#remember({ open: 0, serial, category, model });
    this.#progress.rename(`${model} · ${found.address}`);
    return device;
  }

  #remember(note: Partial<Note>): void {
    this.#note = { ...this.#note, ...note };
    this.#progress.remember(this.#note);
  }

  async #check(): Promise<End> {
    const device = await this.#finder.find(this.#item.mac);
    return checkBatch(device?.issues ?? []);
  }

  async #network(device: DeviceInHand): Promise<End> {
    const rule = addressingFor(device.category, device.model);
    const now = await device.addresses(this.#signal);
    if (rule === 'keep') {
      const how = now.ok ? (now.value.dhcp ? ' DHCP is on.' : ' DHCP is off.') : '';
      return { state: 'skipped', code: 'kept', text: `It keeps its own setting.${how}` };
    }
    if (!now.ok) return said(now);
    const to = rule === 'dhcp' ? ({ dhcp: true } as const) : fixed(now.value);
    if (!to)
      return {
        state: 'failed',
        code: 'address-invalid',
        text: `Its present address ${now.value.address} (mask ${now.value.subnetMask}, gateway ${now.value.gateway || 'none'}) cannot be fixed: set its address by hand.`,
      };
    const set = await device.setAddressing(to, this.#signal);
    if (!set.ok) return said(set);
    if (set.value.rebootRequired) {
      const off = await device.reboot(this.#signal);
      if (!off.ok) return said(off);
    }
    // Where it is now is found out by its MAC, in the next step.
    if (set.value.moved || set.value.rebootRequired) {
      this.#drop();
      await this.#clock.sleep(SETTLE_MS, this.#signal);
    }
    return to.dhcp ? { state: 'done', code: 'dhcp-on' } : { state: 'done', code: 'dhcp-off', text: to.address };
  }

  #drop(): void {
    this.#device?.close();
    this.#device = null;
  }

  /** INIT-11: found again by its MAC, it must answer each of some pings, and be the same device. */
  async #ping(): Promise<End> {
    const found = await this.#finder.again(this.#item.mac, BACK_WITHIN_MS, this.#signal);
    if (!found) {
      this.#drop();
      return {
        state: 'failed',
        code: 'device-unreachable',
        text: 'It was not found again after its network was set. Check its cable, and whether the LAN gives addresses by DHCP.',
      };
    }
    const { device, pingMs } = found;
    if (device.address !== this.#host) this.#drop();
    const reached = this.#device ? null : await this.#reach();
    if (reached && !reached.ok) return { state: 'failed', code: reached.code, text: reached.text };
    return { state: 'done', text: `It answers at ${device.address} within ${Math.max(1, Math.round(pingMs))} ms.` };
  }

  async #time(device: DeviceInHand): Promise<End> {
    const { timeZone } = this.#item;
    if (timeZone === null)
      return { state: 'skipped', code: 'site-says-no', text: 'The site does not set the clocks of its devices.' };
    const set = await device.syncTime(timeZone, this.#signal);
    if (!set.ok) return said(set);
    return { state: 'done', text: `${timeZone}, ${(Math.abs(set.value.driftMs) / 1000).toFixed(1)} s off.` };
  }

  async #storage(device: DeviceInHand): Promise<End> {
    const percent = (disk: string, value: number) =>
      this.#progress.step('storage', 'running', { percent: Math.min(100, Math.max(0, value)), text: disk });
    const end = this.#clock.mono() + FORMATTING_WITHIN_MS;
    for (;;) {
      const disks = await device.initialiseDisks(percent, this.#signal);
      if (!disks.ok) return said(disks);
      // Begun before the box went down, or by somebody else: not left before it has ended.
      const busy = disks.value.some((d) => d.result === 'kept' && /formatt?ing/i.test(d.text ?? ''));
      if (!busy || this.#signal.aborted || this.#clock.mono() >= end) return readDiskOutcomes(disks.value);
      await this.#clock.sleep(FORMATTING_POLL_MS, this.#signal);
    }
  }

  async #platform(device: DeviceInHand): Promise<End> {
    const on = await device.enablePlatform(this.#item.verificationCode, this.#signal);
    if (!on.ok && on.code === 'device-error' && this.#item.verificationCode === null)
      return {
        state: 'warning',
        code: 'code-needed',
        text: `It wants a verification code first: enter one and initialise it again. ${on.text}`,
      };
    if (!on.ok) return said(on);
    if (!on.value) return { state: 'skipped', code: 'not-supported', text: 'It has no such service.' };
    if (on.value.registered) return { state: 'done' };
    const text = 'It is on, and the device has not registered yet: it needs a way to the internet for that.';
    return { state: 'warning', code: 'not-registered', text };
  }

  async #channels(device: DeviceInHand): Promise<End> {
    const poe = await device.isPoeRecorder(this.#signal);
    if (!poe.ok) return said(poe);
    return poe.value ? { state: 'done', code: 'poe' } : { state: 'done', code: 'to-add' };
  }
}

/** The present address, fixed; null when it is none that can be. */
function fixed({ address, subnetMask, gateway, dns }: Addresses): Extract<Addressing, { dhcp: false }> | null {
  const real = (ip: string) => ip !== '' && ip !== '0.0.0.0';
  const servers = dns.filter(real).slice(0, 2);
  const whole = { dhcp: false, address, subnetMask, gateway: real(gateway) ? gateway : null, dns: servers };
  const read = Addressing.safeParse(whole);
  return read.success && !read.data.dhcp ? read.data : null;
}
