/** What an ONVIF camera keeps: profiles, picture, relays, position. */
export interface Encoder {
  token: string;
  name: string;
  encoding: 'H264' | 'H265' | 'JPEG';
  width: number;
  height: number;
  quality: number;
  fps: number;
  kbps: number;
  gov: number;
}

export interface OnvifState {
  hostname: string;
  ntp: string;
  timeMode: 'NTP' | 'Manual';
  zone: string;
  encoders: Encoder[];
  imaging: { Brightness: number; ColorSaturation: number; Contrast: number; Sharpness: number; IrCutFilter: string };
  relays: Map<string, { mode: 'Monostable' | 'Bistable'; idle: 'open' | 'closed'; delayS: number; active: boolean }>;
  position: { x: number; y: number; zoom: number };
  speed: { x: number; y: number; zoom: number };
  presets: Map<string, { name: string; position: { x: number; y: number; zoom: number } }>;
  stopsAt: number;
}

/** `sources`: a recorder has several cameras, each with a main and a sub-stream. */
export function onvifState(fps: number, kbps: number, sources = 1): OnvifState {
  const main = { encoding: 'H264' as const, quality: 4, gov: fps * 2 };
  return {
    hostname: 'ipc',
    ntp: '0.0.0.0',
    timeMode: 'Manual',
    zone: 'GMT-02:00',
    encoders: Array.from({ length: sources }, (_, i) => [
      { ...main, token: `VideoEncoder_${2 * i + 1}`, name: 'main', width: 1280, height: 720, fps, kbps },
      { ...main, token: `VideoEncoder_${2 * i + 2}`, name: 'sub', width: 640, height: 360, fps: 15, kbps: 512 },
    ]).flat(),
    imaging: { Brightness: 50, ColorSaturation: 50, Contrast: 50, Sharpness: 50, IrCutFilter: 'AUTO' },
    relays: new Map([
      ['RelayOutput_1', { mode: 'Bistable', idle: 'open', delayS: 0, active: false }],
      ['RelayOutput_2', { mode: 'Monostable', idle: 'open', delayS: 1, active: false }],
    ]),
    position: { x: 0, y: 0, zoom: 0 },
    speed: { x: 0, y: 0, zoom: 0 },
    presets: new Map([
      ['1', { name: 'Gate', position: { x: 0.3, y: 0, zoom: 0.2 } }],
      // One without a name, as lists of three hundred have them.
      ['2', { name: '', position: { x: 0, y: 0, zoom: 0 } }],
    ]),
    stopsAt: 0,
  };
}
