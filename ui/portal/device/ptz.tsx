import { useEffect, useRef } from 'preact/hooks';
import type { Device } from '../../../protocol/wire/api.ts';
import type { DeviceAction } from '../../../protocol/wire/operations.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Panel } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { DeviceLive } from '../live/device-live.tsx';
import { operate } from './list-panel.tsx';

const SPEED = 0.5;
/** A key or click without a hold moves it this far. */
const STEP_MS = 300;
type Move = { pan?: number; tilt?: number; zoom?: number; focus?: number };
const PAD: readonly (readonly [key: 'up' | 'left' | 'home' | 'right' | 'down', move: Move | null, place: string])[] = [
  ['up', { tilt: SPEED }, 'col-start-2 row-start-1'],
  ['left', { pan: -SPEED }, 'col-start-1 row-start-2'],
  ['home', null, 'col-start-2 row-start-2'],
  ['right', { pan: SPEED }, 'col-start-3 row-start-2'],
  ['down', { tilt: -SPEED }, 'col-start-2 row-start-3'],
];
const ARROWS = { up: '▲', left: '◀', home: '⌂', right: '▶', down: '▼' } as const;

interface Props {
  device: Device;
  channel: number;
  may: (action: string) => boolean;
}

/** Turns a camera, beside what it sees. */
export function Ptz(props: Props) {
  const { device, channel } = props;
  return (
    <Panel title={t('operations.ptz.title')} id="ptz">
      <div class="grid gap-6 sm:grid-cols-2">
        <DeviceLive device={device} channel={channel} />
        <PtzControls {...props} />
      </div>
    </Panel>
  );
}

/** Turns a camera while a button is held; a tap or a key moves it one step. */
export function PtzControls({ device, channel, may }: Props) {
  const moving = useRef<'ptzMove' | 'focus' | null>(null);
  const act = useAction(async (action: DeviceAction) => void (await operate(device.id, action)));
  const move = (m: Move, ms?: number): DeviceAction => {
    const { pan = 0, tilt = 0, zoom = 0, focus: speed } = m;
    return speed === undefined
      ? { action: 'ptzMove', channel, pan, tilt, zoom, ...(ms && { ms }) }
      : { action: 'focus', channel, speed, ...(ms && { ms }) };
  };
  // The stop never waits behind anything, and goes out even when the page is left.
  const stop = () => {
    const was = moving.current;
    if (!was) return;
    moving.current = null;
    const end: DeviceAction = was === 'focus' ? { action: 'focus', channel, speed: 0 } : { action: 'ptzStop', channel };
    operate(device.id, end, true).catch(() => {});
  };
  useEffect(() => stop, [channel]);
  const held = (m: Move) => ({
    onPointerDown: (event: PointerEvent) => {
      (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
      moving.current = m.focus === undefined ? 'ptzMove' : 'focus';
      operate(device.id, move(m)).catch(stop);
    },
    onPointerUp: stop,
    onPointerCancel: stop,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === 'Enter' || event.key === ' ') {
        event.preventDefault();
        if (!event.repeat) void act.run(move(m, STEP_MS));
      }
    },
  });
  return (
    <>
      <ProblemPanel error={act.error} what={t('operations.actFailed', { name: device.name })} focus />
      <div class="flex flex-col gap-4">
        <div class="grid w-56 grid-cols-3 gap-2 touch-none">
          {PAD.map(([key, m, place]) =>
            m ? (
              <button
                key={key}
                type="button"
                class={`btn h-14 ${place}`}
                aria-label={t(`operations.ptz.${key}`)}
                {...held(m)}
              >
                {ARROWS[key]}
              </button>
            ) : (
              may('ptzHome') && (
                <button
                  key={key}
                  type="button"
                  class={`btn h-14 ${place}`}
                  aria-label={t('operations.ptz.home')}
                  onClick={() => act.run({ action: 'ptzHome', channel })}
                >
                  {ARROWS.home}
                </button>
              )
            ),
          )}
        </div>
        <div class="flex gap-2 touch-none">
          <button type="button" class="btn h-12" {...held({ zoom: SPEED })}>
            {t('operations.ptz.in')}
          </button>
          <button type="button" class="btn h-12" {...held({ zoom: -SPEED })}>
            {t('operations.ptz.out')}
          </button>
        </div>
        {may('focus') && (
          <div class="flex gap-2 touch-none">
            <button type="button" class="btn h-12" {...held({ focus: -SPEED })}>
              {t('operations.ptz.near')}
            </button>
            <button type="button" class="btn h-12" {...held({ focus: SPEED })}>
              {t('operations.ptz.far')}
            </button>
          </div>
        )}
        {may('presetSet') && (
          <Form
            label={t('operations.ptz.keep')}
            onSubmit={({ name = '' }) => act.run({ action: 'presetSet', channel, preset: null, name })}
          >
            <Field label={t('operations.ptz.presetName')} name="name" required maxLength={64} autoComplete="off" />
            <div>
              <Submit busy={act.busy} doing={t('form.saving')}>
                {t('operations.ptz.keep')}
              </Submit>
            </div>
          </Form>
        )}
      </div>
    </>
  );
}
