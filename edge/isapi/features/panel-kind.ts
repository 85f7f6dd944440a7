/** Families of panels (PANL-01); by model, because none says it. What tells them apart is not captured. */
export type PanelKind = 'hub' | 'hybrid' | 'home' | 'pro' | 'hybridPro';

export function panelKind({ model, deviceType }: { model: string; deviceType: string }): PanelKind {
  if (/home/i.test(`${model} ${deviceType}`)) return 'home';
  if (/^DS-PHA?\d+-(P|W\d?P)\b/i.test(model)) return 'hybrid';
  if (/^(DS-PH|PHA)/i.test(model) || /^PHA/i.test(deviceType.trim())) return 'hybridPro';
  return /^DS-PWA?\d+-H/i.test(model) ? 'hub' : 'pro';
}

/** Of these only generic management is offered (PANL-02). */
export const isGeneric = (kind: PanelKind): boolean => kind === 'hub' || kind === 'hybrid';
