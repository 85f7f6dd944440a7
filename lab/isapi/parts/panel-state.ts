import type { DeviceKind } from '../../devices/profile.ts';

export type Arming = 'disarm' | 'away' | 'stay' | 'arming';

export interface Area {
  id: number;
  name: string;
  arming: Arming;
  alarm: boolean;
  enabled: boolean;
}

export interface Zone {
  /** From 0. */
  id: number;
  name: string;
  detectorType: string;
  zoneType: string;
  area: number;
  status: 'online' | 'trigger' | 'offline';
  tamper: boolean;
  bypassed: boolean;
  alarm: boolean;
  wireless: boolean;
}

export function panelAreas(): Area[] {
  return [
    { id: 1, name: 'House', arming: 'disarm', alarm: false, enabled: true },
    { id: 2, name: 'Garage', arming: 'disarm', alarm: false, enabled: true },
    { id: 3, name: '', arming: 'disarm', alarm: false, enabled: false },
  ];
}

export function panelZones(kind: DeviceKind): Zone[] {
  const wireless = kind === 'ax-pro';
  const zone = (id: number, name: string, detectorType: string, zoneType: string, area: number): Zone => ({
    id,
    name,
    detectorType,
    zoneType,
    area,
    status: 'online',
    tamper: false,
    bypassed: false,
    alarm: false,
    wireless,
  });
  return [
    zone(0, 'Front door', 'magneticContact', 'Delay', 1),
    zone(1, 'Hall', 'passiveInfraredDetector', 'Follow', 1),
    zone(2, 'Smoke', 'smokeDetector', 'Fire', 1),
    zone(3, 'Garage door', 'magneticContact', 'Instant', 2),
    zone(4, 'Panic button', 'panicButton', '24hSilent', 1),
  ];
}

/** As zone status says it (isapi §16); types differ between firmwares, and so do these. */
export function zoneStatus(z: Zone, areas: Area[]): object {
  const arming = areas.find((a) => a.id === z.area)?.arming;
  const armed = arming === 'away' || arming === 'stay';
  const radio = {
    charge: 'normal',
    chargeValue: 100,
    signal: 121,
    realSignal: 135,
    signalType: 'R3',
    temperature: 23,
    model: '0x00006',
    isViaRepeater: false,
    version: 'V1.0.0',
  };
  const wire = {
    moduleType: 'localWired',
    accessModuleType: 'localZone',
    moduleChannel: z.id + 1,
    relatedKeypadNo: [1],
  };
  return {
    id: z.id,
    name: z.name,
    status: z.status,
    sensorStatus: 'normal',
    magnetOpenStatus: z.detectorType === 'magneticContact' && z.status === 'trigger',
    tamperEvident: z.tamper,
    shielded: false,
    bypassed: z.bypassed,
    armed,
    isArming: arming === 'arming',
    alarm: z.alarm,
    ...(z.wireless ? radio : wire),
    subSystemNo: z.area,
    linkageSubSystem: [z.area],
    detectorType: z.detectorType,
    stayAway: false,
    zoneType: z.zoneType,
    zoneAttrib: z.wireless ? 'wireless' : 'wired',
    deviceNo: z.id + 1,
    abnormalOrNot: false,
  };
}

/** Sirens, keypads, readers and remotes, with the words of captured panels. */
export function peripherals(wireless: boolean): object {
  const common = {
    status: 'online',
    tamperEvident: false,
    charge: 'normal',
    chargeValue: 95,
    signal: 120,
    realSignal: 140,
    signalType: 'R3',
    model: '0x7A001',
    temperature: 25,
    isViaRepeater: false,
    version: 'V1.0.0',
    abnormalOrNot: false,
    mainPowerSupply: !wireless,
  };
  const siren = {
    id: 1,
    seq: 'Q1',
    name: 'Siren',
    ...common,
    subSystemList: [1],
    sirenAttrib: wireless ? 'wireless' : 'wired',
  };
  const keypad = { id: 1, seq: 'Q2', name: 'Keypad', ...common, subSystemList: [1, 2] };
  const remote = { id: 1, seq: 'Q3', name: 'Key fob', ...common, model: '0x61001' };
  return {
    ExDevStatus: {
      SirenList: [{ Siren: siren }],
      KeypadList: [{ Keypad: keypad }],
      RepeaterList: [],
      CardReaderList: [],
      RemoteList: [{ Remote: remote }],
      OutputModList: [],
      TransmitterList: [],
      ExtensionList: [],
    },
  };
}
