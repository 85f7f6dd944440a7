import { useState } from 'preact/hooks';
import { Choice, Field } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Panel } from '../../components/page.tsx';
import { useReady } from '../install/found.ts';
import { ChannelFields, type PackageChoice } from './channel-fields.tsx';

/** A device of the LAN that is linked to the box now: all that is asked for is needed (BOX-05). */
export function NewDevice(o: {
  serial: string;
  on: boolean;
  toggle: () => void;
  packages: PackageChoice | null;
  /** No package is left for one more channel. */
  barred: boolean;
  /** Which is said above, once. */
  none: boolean;
  /** Channels as they are typed. */
  type: (channels: string) => void;
  fits: string | undefined;
}) {
  const barred = o.barred && !o.on;
  return (
    <Panel title={t('cloud.newDevice')}>
      {barred && !o.none && (
        <p id="new-barred" class="mb-2">
          <State level="info">{t('cloud.soldOut')}</State>
        </p>
      )}
      <label class={`flex min-h-11 items-center gap-3 ${barred ? 'muted' : ''}`}>
        <input
          type="checkbox"
          class="checkbox shrink-0"
          checked={o.on}
          disabled={barred}
          aria-describedby={barred ? 'new-barred' : undefined}
          onChange={o.toggle}
        />
        {t('cloud.newDeviceText')}
      </label>
      {o.on && <NewFields {...o} />}
    </Panel>
  );
}

/** One that was found fills in what is known of it; the rest is typed. */
function NewFields({ serial, packages, type, fits }: Parameters<typeof NewDevice>[0]) {
  const ready = useReady().data;
  const found = ready?.devices.filter((one) => one.boxSerial === serial && !ready.isAdded(one)) ?? [];
  const [mac, setMac] = useState('');
  const of = found.find((one) => one.mac === mac);
  return (
    <div class="flex max-w-2xl flex-col gap-4">
      {found.length > 0 && (
        <Choice
          label={t('cloud.found')}
          name="new:found"
          value={mac}
          options={[
            ['', t('cloud.notFound')] as const,
            ...found.map((one) => [one.mac, `${one.model} · ${one.address}`] as const),
          ]}
          onChange={setMac}
        />
      )}
      <div key={mac} class="flex flex-col gap-4">
        <Field label={t('cloud.name')} name="new:name" value={of?.model} required maxLength={64} autoComplete="off" />
        <Field
          label={t('cloud.address')}
          name="new:host"
          value={of?.address}
          required
          mono
          maxLength={255}
          autoComplete="off"
        />
        <Field
          label={t('cloud.port')}
          name="new:port"
          value={String(of?.httpPort ?? 80)}
          required
          inputMode="numeric"
          pattern="[0-9]{1,5}"
        />
      </div>
      <Field label={t('cloud.user')} name="new:username" value="admin" required maxLength={64} autoComplete="off" />
      <Field
        label={t('cloud.password')}
        name="new:password"
        type="password"
        required
        maxLength={64}
        autoComplete="new-password"
      />
      <Field
        label={t('cloud.channels')}
        hint={t('cloud.channelsHint')}
        name="new:channels"
        value="1"
        required
        pattern="[0-9]{1,4}([ ,]+[0-9]{1,4}){0,63}"
        onInput={type}
      />
      <ChannelFields name="new/1" at={null} packages={packages} device={undefined} fits={fits} />
    </div>
  );
}
