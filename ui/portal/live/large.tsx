import { useEffect, useRef, useState } from 'preact/hooks';
import { StreamName } from '../../../protocol/wire/video.ts';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Panel } from '../../components/page.tsx';
import { useResource } from '../../components/resource.ts';
import { playsH265 } from '../../video/playable.ts';
import { PtzControls } from '../device/ptz.tsx';
import { useCapabilities } from '../device/use-capabilities.ts';
import { LiveWindow } from './live-window.tsx';
import { forgetOptions, liveOptions } from './options.ts';
import { PictureLock } from './picture-lock.tsx';
import type { LiveTarget } from './targets.ts';
import { LiveTools } from './tools.tsx';

interface Props {
  target: LiveTarget;
  /** Address of the grid. */
  back: string;
  onBack: () => void;
}

/** Of a device that is slow to say whether it can be spoken to. */
const TALK_ASKED_MS = 3_000;

/** One window on its own, with the main stream, sound and everything that can be done. */
export function Large({ target, back, onBack }: Props) {
  const { device, channel, name, state } = target;
  const [stream, setStream] = useState<StreamName>('main');
  const [sound, setSound] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  // Its letters work from the beginning.
  useEffect(() => place.current?.querySelector<HTMLElement>('figure')?.focus({ preventScroll: true }), []);
  const online = state === 'online' && target.may;
  const options = useResource(
    async () => (online ? await liveOptions(device.id, channel, 'main') : null),
    [device.id, channel, online],
  );
  const streams = options.data?.streams ?? [];
  const talk = options.data?.talk ?? null;
  const unsaid = talk?.can === 'unknown';
  useEffect(() => {
    if (!unsaid) return;
    // The device had not answered yet: it is asked by now.
    const timer = setTimeout(() => {
      forgetOptions(device.id, channel);
      options.reload();
    }, TALK_ASKED_MS);
    return () => clearTimeout(timer);
  }, [unsaid, device.id, channel]);
  // What is shown in its place is not what was chosen: a person wants to know why.
  const hard = /^(hvc1|hev1|h265)/i.test(streams.find((one) => one.stream === stream)?.codec ?? '') && !playsH265();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !document.fullscreenElement) onBack();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [onBack]);
  return (
    <div class="flex flex-col gap-4">
      <p class="flex flex-wrap gap-x-6 gap-y-2">
        <a class="link" href={back}>
          {t('liveView.back')}
        </a>
        <a class="link" href={`/sites/${target.site.id}/devices/${device.id}`}>
          {t('liveView.device', { name: device.name })}
        </a>
      </p>
      <div class="grid items-start gap-6 xl:grid-cols-[minmax(0,1fr)_20rem]">
        <div ref={place} class="live-large">
          <LiveWindow
            key={target.key}
            target={target}
            stream={stream}
            sound={sound}
            tools={(handle) => (
              <LiveTools
                {...handle}
                name={name}
                sound={sound}
                onSound={setSound}
                talk={talk?.can === 'yes' && online ? { deviceId: device.id, channel, chance: talk } : null}
              />
            )}
          />
        </div>
        <div class="flex flex-col gap-4">
          {streams.length > 1 && (
            <Choice
              label={t('liveView.stream.label')}
              name="stream"
              value={stream}
              onChange={(value) => setStream(StreamName.parse(value))}
              options={streams.map((one) => [one.stream, streamText(one)] as const)}
            />
          )}
          {talk?.can === 'codec' && <p class="muted">{t('liveView.talk.codec', { codec: talk.codec ?? '?' })}</p>}
          {hard && <p class="muted">{t('liveView.stream.h265')}</p>}
          {online && <Turn target={target} />}
          {target.owns && <PictureLock key={device.id} device={device} />}
        </div>
      </div>
    </div>
  );
}

function streamText({
  stream,
  width,
  height,
}: {
  stream: StreamName;
  width: number | null;
  height: number | null;
}): string {
  const size = width && height ? ` (${width} × ${height})` : '';
  return `${t(`liveView.stream.${stream}`)}${size}`;
}

/** The buttons that turn the camera, where it can be turned. */
function Turn({ target }: { target: LiveTarget }) {
  const { device, channel } = target;
  const capabilities = useCapabilities(device.id);
  const may = (action: string) =>
    capabilities.data?.actions.some(
      (one) => one.action === action && (one.channels === null || one.channels.includes(channel)),
    ) ?? false;
  if (!may('ptzMove')) return null;
  return (
    <Panel title={t('operations.ptz.title')} id="ptz">
      <PtzControls device={device} channel={channel} may={(action) => action !== 'presetSet' && may(action)} />
    </Panel>
  );
}
