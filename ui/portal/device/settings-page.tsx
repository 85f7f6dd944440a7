import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { Section, SettingField, SettingsWritten } from '../../../protocol/wire/operations.ts';
import { Choice, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { DeviceLive } from '../live/device-live.tsx';
import { NotFound } from '../not-found.tsx';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { Missing, useMay } from './permitted.tsx';
import { changes, SettingInput, useVersion, valueWord } from './setting-fields.tsx';
import { useCapabilities } from './use-capabilities.ts';
import { fieldWord, isUnverified, sectionWord } from './words.ts';

/** One group of settings of a device: as the device has them, with what each may be. */
export function DeviceSettingsPage({ params }: { params?: { deviceId?: string; section?: string } }) {
  const { base, devices, site } = useSite();
  const { query, route, path } = useLocation();
  const deviceId = params?.deviceId ?? '';
  const device = devices.data?.items.find((item) => item.id === deviceId);
  const capabilities = useCapabilities(deviceId);
  const offered = capabilities.data?.sections.filter((s) => s.section === params?.section) ?? [];
  const channels = offered.flatMap((s) => s.channels ?? []);
  const channel = Number(query.channel) || channels[0];
  const streams = offered.find((s) => channel === undefined || s.channels?.includes(channel))?.streams;
  const stream = streams && (Number(query.stream) || streams[0]);
  const section = params?.section as Section;
  const may = useMay(device ?? {});
  const shown = offered.length > 0 && device !== undefined && may('configure');
  if (devices.data && !device) return <NotFound />;
  const name = device?.name ?? '';
  const go = (next: Record<string, string>) => route(`${path}?${new URLSearchParams({ ...query, ...next })}`, true);
  return (
    <>
      <p>
        <a class="link" href={`${base}/devices/${deviceId}`}>
          {name}
        </a>
      </p>
      <Title suffix={`${name} · ${site.data?.name ?? ''} · Gatepost`}>{sectionWord(section)}</Title>
      {capabilities.error && (
        <ProblemPanel error={capabilities.error} what={t('operations.failed', { name })} retry={capabilities.reload} />
      )}
      {capabilities.data && offered.length === 0 && <p>{t('operations.notOffered', { name })}</p>}
      {capabilities.data && isUnverified(capabilities.data, section) && (
        <State level="attention">{t('operations.unverified')}</State>
      )}
      {(channels.length > 1 || (streams?.length ?? 0) > 1) && (
        <div class="flex flex-wrap gap-4">
          {channels.length > 1 && (
            <Choice
              label={t('operations.channel')}
              name="channel"
              value={String(channel)}
              options={channels.map((n) => [String(n), channelName(device, n)] as const)}
              onChange={(value) => go({ channel: value })}
            />
          )}
          {streams && streams.length > 1 && (
            <Choice
              label={t('operations.stream')}
              name="stream"
              value={String(stream)}
              options={streams.map((n) => [String(n), t(`operations.streams.${n as 1}`)] as const)}
              onChange={(value) => go({ stream: value })}
            />
          )}
        </div>
      )}
      {device && !may('configure') && <Missing permission="configure" />}
      {shown && (
        <div class="grid items-start gap-6 xl:grid-cols-[minmax(0,42rem)_minmax(0,1fr)]">
          <SettingsForm key={`${section} ${channel} ${stream}`} {...{ deviceId, section, channel, stream, name }} />
          {channel !== undefined && <DeviceLive device={device} channel={channel} />}
        </div>
      )}
    </>
  );
}

const channelName = (
  device: { health: { channels: { channel: number; name: string }[] } | null } | undefined,
  n: number,
): string => device?.health?.channels.find((c) => c.channel === n)?.name || t('device.channel', { n });

/** Not "around the clock" beside the times that say it too. */
function asked(fields: SettingField[]): SettingField[] {
  const times = fields.some((field) => field.kind === 'week');
  return fields.filter(({ name }) => !(times && name === 'aroundTheClock'));
}

/** The fields of one section, and saving what was changed of them. */
export function SettingsForm({
  deviceId,
  section,
  channel,
  stream,
  name,
  seen,
}: {
  deviceId: string;
  section: Section;
  channel?: number;
  stream?: number;
  name: string;
  /** Told of what the device says, read or written. */
  seen?: (section: Section, fields: SettingField[]) => void;
}) {
  const at = { params: { deviceId, section }, query: { channel, stream } };
  const settings = useResource(
    (signal) => api.get('/devices/{deviceId}/settings/{section}', { ...at, signal }),
    [deviceId, section, channel, stream],
  );
  const [written, setWritten] = useState<SettingsWritten | 'nothing' | null>(null);
  const [version, renew] = useVersion();
  const save = useAction(async (form: Record<string, string>) => {
    setWritten(null);
    const set = changes(settings.data!.fields, form);
    if (Object.keys(set).length === 0) return setWritten('nothing');
    const done = await api.put('/devices/{deviceId}/settings/{section}', { set }, at);
    settings.set(() => ({ fields: done.fields }));
    renew();
    setWritten(done);
  });
  const fields = settings.data?.fields;
  useEffect(() => {
    if (fields) seen?.(section, fields);
  }, [fields, section, seen]);
  if (settings.error)
    return <ProblemPanel error={settings.error} what={t('operations.readFailed', { name })} retry={settings.reload} />;
  if (!settings.data) return <Skeleton lines={6} />;
  const picture = channel ? `/api/v1/devices/${deviceId}/snapshot?channel=${channel}` : null;
  return (
    <section class="panel max-w-2xl" aria-label={sectionWord(section)}>
      <ProblemPanel error={save.error} what={t('operations.saveFailed', { name })} focus />
      <div role="status">{written && <Outcome written={written} />}</div>
      <Form key={version} onSubmit={save.run} label={sectionWord(section)}>
        {asked(settings.data.fields).map((field) => (
          <SettingInput key={field.name} field={field} picture={picture} />
        ))}
        {settings.data.fields.some((field) => !field.readOnly) && (
          <div>
            <Submit busy={save.busy} doing={t('form.saving')}>
              {t('action.save')}
            </Submit>
          </div>
        )}
      </Form>
    </section>
  );
}

function Outcome({ written }: { written: SettingsWritten | 'nothing' }) {
  if (written === 'nothing') return <p class="mb-4">{t('operations.nothingChanged')}</p>;
  return (
    <div class="mb-4 flex flex-col gap-1">
      {written.notKept.length === 0 ? (
        <State level="well">{t('operations.saved')}</State>
      ) : (
        <>
          <State level="attention">{t('operations.notKept')}</State>
          <ul class="list-disc pl-6">
            {written.notKept.map((item) => (
              <li key={item.name}>
                {t('operations.notKeptItem', {
                  name: fieldWord(item.name),
                  wanted: valueWord(item.wanted),
                  is: valueWord(item.is),
                })}
              </li>
            ))}
          </ul>
        </>
      )}
      {written.rebootRequired && <State level="attention">{t('operations.rebootRequired')}</State>}
    </div>
  );
}
