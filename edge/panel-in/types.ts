import type { DesiredPanel } from '../../protocol/wire/desired.ts';

/** A panel that sends DC-09 to the box, with its key opened. */
export type PanelConfig = DesiredPanel & {
  id: string;
  name: string /** null: it sends in clear. */;
  key: Buffer | null;
};
