import type { Device } from '../../../protocol/wire/api.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { useResource } from '../../components/resource.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { recorderPage } from './found.ts';

/** Recorders by their model, which is all that is known of a device here: cameras may have several channels too. */
const RECORDER = /^(i?DS-[6-9]|i?DS-[NH]\d|[ND]VR-|HW[ND]-)/i;
const isRecorder = (device: Device): boolean =>
  // Cameras may have come since it was added.
  Math.max(device.channelCount, device.health?.channels.length ?? 0) > 1 &&
  device.mac !== null &&
  device.boxSerial !== null &&
  RECORDER.test(device.health?.model ?? '');

/** Which of these devices are recorders whose channels nobody has put in order yet (CHAN-11). */
export function useUnsorted(devices: readonly Device[]): (device: Device) => boolean {
  const { site, siteId } = useSite();
  const asks = site.data!.operations.includes('manage-devices') && devices.some(isRecorder);
  const sorted = useResource(
    async (signal) => (asks ? await api.get('/sites/{siteId}/lan/recorders', { params: { siteId }, signal }) : null),
    [siteId, asks],
  );
  const done = sorted.data && new Set(sorted.data.macs);
  return (device) => Boolean(done && isRecorder(device) && !done.has(device.mac!));
}

/** Leads to the page where its channels are sorted. */
export function SortPrompt({ device }: { device: Device }) {
  const { base } = useSite();
  return (
    <p class="flex flex-wrap items-center justify-between gap-x-4 rounded-box border border-warning p-3">
      <State level="attention">{t('recorder.unsorted')}</State>
      <a class="link flex min-h-11 items-center" href={recorderPage(base, device.boxSerial!, [device.mac!])}>
        {t('recorder.toSorting')}
        <span class="sr-only">: {device.name}</span>
      </a>
    </p>
  );
}
