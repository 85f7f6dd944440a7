type Place = 'label' | 'labelQr' | 'local' | 'web';
/** Where serial and verification code of each device are found (tables under P3.1.4); the page shows them. */
export const WHERE_FOUND = [
  { device: 'camera', serial: ['label', 'web'], code: ['web'] },
  { device: 'thermal', serial: ['label', 'web'], code: ['web'] },
  { device: 'recorder', serial: ['label', 'local', 'web'], code: ['local', 'web'] },
  { device: 'nvs', serial: ['label'], code: ['labelQr'] },
  { device: 'terminal', serial: ['label', 'local'], code: ['local'] },
  { device: 'panel', serial: ['label', 'web'], code: ['labelQr', 'web'] },
  { device: 'doorStation', serial: ['web'], code: ['label'] },
  { device: 'indoorStation', serial: ['label', 'local'], code: ['label', 'local'] },
  { device: 'doorbell', serial: ['label'], code: ['label'] },
  { device: 'acRouter', serial: ['label', 'web'], code: [] },
  { device: 'radar', serial: ['label', 'web'], code: ['web'] },
  { device: 'speaker', serial: ['label', 'web'], code: ['labelQr', 'web'] },
] as const satisfies readonly { device: string; serial: readonly Place[]; code: readonly Place[] }[];
