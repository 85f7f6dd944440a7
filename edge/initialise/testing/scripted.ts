import type { DiscoveredDevice } from '../../../protocol/wire/box-api.ts';
import type { DeviceCategory } from '../../../protocol/wire/operations.ts';
import { failure, type Result } from '../../isapi/answer.ts';
import type { Addresses, At, DeviceInHand, DiskOutcome, Hands, Outcome } from '../hands.ts';

/** A device that does as told, with what was done to it; a LAN of them stands for discovery and hands. */
export class ScriptedDevice {
  readonly mac: string;
  readonly category: DeviceCategory;
  readonly model: string;
  readonly serial: string;
  readonly did: string[] = [];
  /** What it says after the login, when that is not what it says to the search. */
  saysMac: string | null = null;
  saysSerial: string | null = null;
  password = 'Right-1';
  address: string;
  network: Addresses;
  disks: DiskOutcome[] = [];
  channels = [1];
  poe = false;
  registered = true;
  hasPlatform = true;
  /** Where DHCP puts it. */
  dhcpAddress: string;
  down = false;
  activated = true;
  issues: DiscoveredDevice['issues'] = [];
  /** Answers of single steps instead of the usual ones; functions may wait. */
  says: Partial<Record<string, (signal: AbortSignal) => Result<never> | Promise<Result<never>>>> = {};

  constructor(n: number, category: DeviceCategory, model: string) {
    this.mac = `02-00-00-00-00-${n.toString(16).padStart(2, '0')}`;
    this.category = category;
    this.model = model;
    this.serial = `${model}20240101AAWR${String(n).padStart(9, '0')}`;
    this.address = `192.0.2.${n}`;
    this.dhcpAddress = this.address;
    this.network = {
      dhcp: true,
      address: this.address,
      subnetMask: '255.255.255.0',
      gateway: '192.0.2.254',
      dns: ['192.0.2.254', ''],
    };
  }
}

export class ScriptedLan implements Hands {
  readonly devices: ScriptedDevice[];
  logins = 0;
  open = 0;
  mostOpen = 0;

  constructor(...devices: ScriptedDevice[]) {
    this.devices = devices;
  }

  list = (): DiscoveredDevice[] =>
    this.devices
      .filter((d) => !d.down)
      .map((d) => ({
        mac: d.mac,
        serial: d.serial,
        model: d.model,
        firmware: 'V1.0.0 build 240101',
        address: d.address,
        subnetMask: null,
        gateway: null,
        httpPort: 80,
        dhcp: null,
        activated: d.activated,
        locked: false,
        protocols: [],
        pingMs: null,
        pingMethod: null,
        pingLevel: null,
        firstSeenAt: '',
        lastSeenAt: '',
        addressConflict: false,
        issues: d.issues ?? [],
      }));
  byMac = (mac: string) => this.list().find((d) => d.mac === mac);
  at = (address: string) => this.list().filter((d) => d.address === address);
  scan = () => Promise.resolve();
  permits = () => true;
  /** In place of a TCP connect. */
  ping = (host: string) => Promise.resolve(this.devices.some((d) => !d.down && d.address === host) ? 1 : null);

  async connect({ host, password }: At, signal: AbortSignal): Promise<Result<DeviceInHand>> {
    const device = this.devices.find((d) => d.address === host && !d.down);
    if (!device) return failure('device-unreachable', 'It does not answer.');
    this.logins++;
    device.did.push('login');
    const broken = await device.says.login?.(signal);
    if (broken) return broken;
    if (password !== device.password) return failure('device-refused-login', 'It refused user name or password.');
    this.open++;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    return { ok: true, value: this.#inHand(device) };
  }

  #inHand(d: ScriptedDevice): DeviceInHand {
    const act = async <T>(what: string, signal: AbortSignal, value: () => T): Promise<Result<T>> => {
      const said = await d.says[what.split(' ')[0] as string]?.(signal);
      if (said) return said;
      d.did.push(what);
      return { ok: true, value: value() };
    };
    const outcome = (text: string): Outcome => ({ done: [text], failed: [], rebootRequired: false });
    return {
      model: d.model,
      mac: d.saysMac ?? d.mac,
      serial: d.saysSerial ?? d.serial,
      firmware: 'V1.0.0 build 240101',
      category: d.category,
      channels: d.channels,
      addresses: async () => ({ ok: true, value: d.network }),
      setAddressing: (to, signal) =>
        act(`network ${to.dhcp ? 'dhcp' : `${to.address} ${to.subnetMask} ${to.gateway}`}`, signal, () => {
          const moved = to.dhcp && d.address !== d.dhcpAddress;
          if (to.dhcp) d.address = d.dhcpAddress;
          d.network = { ...d.network, dhcp: to.dhcp, address: d.address };
          return { moved, rebootRequired: false };
        }),
      reboot: (signal) => act('reboot', signal, () => null),
      syncTime: (zone, signal) => act(`time ${zone}`, signal, () => ({ driftMs: 120, mode: 'manual' })),
      initialiseDisks: (onPercent, signal) =>
        act('disks', signal, () => {
          onPercent('hdd1', 50);
          return d.disks;
        }),
      watchMotion: (channel, signal) => act(`motion ${channel}`, signal, () => outcome('whole picture')),
      encode: (channel, record, signal) =>
        act(`encode ${channel}${record ? ' for clips' : ''}`, signal, () => outcome('codec')),
      enablePlatform: (_, signal) =>
        act('platform', signal, () => (d.hasPlatform ? { registered: d.registered } : null)),
      isPoeRecorder: async () => ({ ok: true, value: d.poe }),
      close: () => {
        this.open--;
      },
    };
  }
}
