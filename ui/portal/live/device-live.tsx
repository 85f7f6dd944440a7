import type { Device } from '../../../protocol/wire/api.ts';
import { useSite } from '../site/context.ts';
import { Snapshot } from '../site/device-parts.tsx';
import { sees } from '../site/rights.ts';
import { LiveWindow } from './live-window.tsx';
import { targetsOf } from './targets.ts';

/** One channel of a device beside what is set or turned there: live for who may see it that way, else its last picture. */
export function DeviceLive({ device, channel }: { device: Device; channel: number }) {
  const { base, boxes, site } = useSite();
  const known = site.data!;
  const list = sees(known) ? (boxes.data?.items ?? known.boxes) : null;
  const target = targetsOf(known, [device], list).find((one) => one.channel === channel);
  if (!target?.may) return <Snapshot device={device} channel={channel} name={device.name} />;
  return <LiveWindow key={target.key} target={target} stream="sub" href={`${base}/live?show=${target.key}`} />;
}
