import { useEffect, useState } from 'preact/hooks';
import type { Device } from '../../../protocol/wire/api.ts';
import type { AlarmPanel, EditAlarmPanel } from '../../../protocol/wire/panels.ts';
import { Choice, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Facts, Panel, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Copyable } from '../../components/serial.tsx';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { KeyFields, PanelFields, panelOf } from './panel-fields.tsx';

const LOOK_AGAIN_MS = 3_000;

/** Of an alarm panel that sends to the box: what to enter in it, and how it sends. */
export function AlarmPanelParts({ device }: { device: Device }) {
  const { site } = useSite();
  const params = { deviceId: device.id };
  const panel = useResource((signal) => api.get('/devices/{deviceId}/alarm-panel', { params, signal }), [device.id]);
  const { data } = panel;
  // The box opens its port with its first panel: that takes a moment.
  useEffect(() => {
    if (!data || data.port !== null) return;
    const timer = setTimeout(panel.reload, LOOK_AGAIN_MS);
    return () => clearTimeout(timer);
  }, [data, panel.reload]);
  if (panel.error) return <ProblemPanel error={panel.error} what={t('panel.failed')} retry={panel.reload} />;
  if (!data) return <Skeleton lines={8} />;
  return (
    <>
      <Panel title={t('panel.enter')}>
        <Enter panel={data} />
        {device.health?.state === 'connecting' && <p class="mt-3">{t('panel.silent')}</p>}
      </Panel>
      {site.data!.operations.includes('manage-devices') && (
        <Change key={device.id} panel={data} changed={panel.reload} />
      )}
    </>
  );
}

function Enter({ panel }: { panel: AlarmPanel }) {
  if (panel.port === null) return <p role="status">{t('panel.nowhere')}</p>;
  return (
    <>
      <p class="mb-3">{t('panel.enterText')}</p>
      <Facts
        items={[
          [
            t('panel.address'),
            <span key="a" class="flex flex-col">
              {panel.addresses.map((address) => (
                <Copyable key={address} text={address} label={t('panel.address')} />
              ))}
            </span>,
          ],
          [t('panel.port'), <Copyable key="p" text={String(panel.port)} label={t('panel.port')} />],
          [t('panel.format'), t('panel.formatText')],
          [t('panel.account'), <Copyable key="n" text={panel.account} label={t('panel.account')} />],
          [t('panel.encryption'), t(panel.encrypted ? 'panel.encrypted' : 'panel.clear')],
        ]}
      />
    </>
  );
}

function Change({ panel, changed }: { panel: AlarmPanel; changed: () => void }) {
  const { devices } = useSite();
  const [key, setKey] = useState('keep');
  const [saved, setSaved] = useState(false);
  const save = useAction(async (fields: Record<string, string>) => {
    setSaved(false);
    const body: EditAlarmPanel = {
      ...panelOf(fields),
      ...(key === 'keep' ? {} : { key: key === 'new' ? (fields.key ?? '') : null }),
      keyFormat: (fields.keyFormat ?? 'hex') as 'hex' | 'characters',
    };
    await api.put('/devices/{deviceId}/alarm-panel', body, { params: { deviceId: panel.deviceId } });
    setSaved(true);
    devices.reload();
    changed();
  });
  return (
    <Panel title={t('panel.settings')}>
      <ProblemPanel error={save.error} what={t('panel.saveFailed')} focus />
      <p role="status" class="empty:hidden">
        {saved && !save.busy && !save.error && t('panel.saved')}
      </p>
      <Form onSubmit={save.run} label={t('panel.settings')}>
        <PanelFields old={panel} error={save.error} />
        <Choice
          label={t('panel.keyChange')}
          name="keyChange"
          value={key}
          options={[
            ['keep', t('panel.keyKeep')],
            ['new', t('panel.keyNew')],
            ['none', t('panel.keyNone')],
          ]}
          onChange={setKey}
        />
        {key === 'new' && <KeyFields error={save.error} />}
        <div>
          <Submit busy={save.busy} doing={t('form.saving')}>
            {t('panel.save')}
          </Submit>
        </div>
      </Form>
    </Panel>
  );
}
