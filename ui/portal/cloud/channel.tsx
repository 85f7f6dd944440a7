import { useCallback, useState } from 'preact/hooks';
import {
  CLOUD_TRIGGERS,
  type CloudChannel,
  type CloudTrigger,
  type EditCloudChannel,
} from '../../../protocol/wire/cloud.ts';
import type { Section, SettingField } from '../../../protocol/wire/operations.ts';
import { type Silence, silenceOf } from '../../../protocol/wire/silence.ts';
import { Choice, Form, Submit } from '../../components/form.tsx';
import { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { Missing, useMay } from '../device/permitted.tsx';
import { SettingsForm } from '../device/settings-page.tsx';
import { useCapabilities } from '../device/use-capabilities.ts';
import { sectionWord } from '../device/words.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { ModeAndStream, useDefinitions } from './channel-fields.tsx';
import { channelState, definitionWords, packageWords, silences } from './words.ts';

/** Events that make clips, as sections of a device's settings. */
const EVENT_SECTIONS = CLOUD_TRIGGERS;

type Seen = { [trigger in CloudTrigger]?: Silence | null };
const merged = (kept: CloudChannel['silent'], seen: Seen): CloudChannel['silent'] =>
  CLOUD_TRIGGERS.flatMap((trigger) => {
    const why = trigger in seen ? seen[trigger] : kept.find((one) => one.trigger === trigger)?.why;
    return why ? [{ trigger, why }] : [];
  });

/** One channel: what is recorded, and the settings of the events that make clips (BOX-09, CLOUD-05 … CLOUD-08). */
export function CloudChannelPage({ params }: { params?: { deviceId?: string; channel?: string } }) {
  const { base, site, devices } = useSite();
  const deviceId = params?.deviceId ?? '';
  const channel = Number(params?.channel);
  const found = useResource(
    (signal) =>
      api.get('/devices/{deviceId}/channels/{channel}/cloud', {
        params: { deviceId, channel: String(channel) },
        signal,
      }),
    [deviceId, channel],
  );
  const device = devices.data?.items.find((item) => item.id === deviceId);
  const may = useMay(device ?? {})('configure');
  const { data } = found;
  // What the device says now counts, and not what it said before.
  const [seen, setSeen] = useState<Seen>({});
  const see = useCallback(
    (section: Section, fields: SettingField[]) => setSeen((old) => ({ ...old, [section]: silenceOf(fields) })),
    [],
  );
  const name = t('cloud.channelOf', { device: data?.deviceName ?? device?.name ?? '', n: channel });
  return (
    <>
      <p>
        <a class="link" href={`${base}/cloud`}>
          {t('cloud.title')}
        </a>
      </p>
      <Title suffix={`${site.data!.name} · Gatepost`}>{name}</Title>
      <ProblemPanel error={found.error} what={t('cloud.channelFailed', { name })} retry={found.reload} />
      {!data && !found.error && <Skeleton lines={6} />}
      {data && (
        <>
          {silences({ ...data, silent: merged(data.silent, seen) }).map(([level, words]) => (
            <State key={words} level={level}>
              {words}
            </State>
          ))}
          <Panel title={t('cloud.recorded')}>
            <What channel={data} />
            {may ? (
              <Edit key={JSON.stringify(data)} channel={data} put={(next) => found.set(() => next)} />
            ) : (
              <Missing permission="configure" />
            )}
          </Panel>
          {may && <Events channel={data} name={device?.name ?? ''} seen={see} />}
        </>
      )}
    </>
  );
}

function What({ channel }: { channel: CloudChannel }) {
  const { service } = channel;
  const [level, words] = channelState(channel);
  return (
    <Facts
      items={[
        [
          t('cloud.stateLabel'),
          <State key="state" level={level}>
            {words}
          </State>,
        ],
        service && [t('cloud.packageLabel'), packageWords(service)],
        service && [
          t(service.state === 'expired' ? 'cloud.endedAt' : 'cloud.until'),
          <Time key="until" at={service.until} full />,
        ],
      ]}
    />
  );
}

function Edit({ channel, put }: { channel: CloudChannel; put: (channel: CloudChannel) => void }) {
  const { deviceId, motionOnly, definition } = channel;
  const definitions = useDefinitions({ deviceId, channel: channel.channel });
  const [saved, setSaved] = useState(false);
  const save = useAction(async (fields: Record<string, string>) => {
    setSaved(false);
    const triggers = CLOUD_TRIGGERS.filter((one) => fields[one] === 'true');
    if (triggers.length === 0) throw new ApiError('invalid-request', 0, { detail: t('cloud.chooseTrigger') });
    const params = { deviceId, channel: String(channel.channel) };
    const wanted = fields.definition || null;
    // First the device: what is shown here afterwards is so.
    if (wanted !== null && wanted !== definition)
      await api.put(
        '/devices/{deviceId}/settings/{section}',
        { set: { resolution: wanted } },
        {
          params: { deviceId, section: 'video' },
          query: { channel: channel.channel, stream: fields.stream === 'sub' ? 2 : 1 },
        },
      );
    const set: EditCloudChannel = {
      enabled: fields.enabled === 'true',
      audio: fields.audio === 'true',
      triggers,
      definition: wanted,
      mode: fields.mode as 'event',
      stream: fields.stream as 'main',
    };
    put(await api.patch('/devices/{deviceId}/channels/{channel}/cloud', set, { params }));
    setSaved(true);
  });
  const options = [...new Set([...(definition ? [definition] : []), ...definitions])];
  return (
    <div class="mt-4 max-w-2xl">
      <ProblemPanel error={save.error} what={t('cloud.saveFailed')} focus />
      <div role="status">{saved && <State level="well">{t('cloud.saved')}</State>}</div>
      <Form onSubmit={save.run} label={t('cloud.recorded')}>
        <label class="flex min-h-11 items-center gap-3 font-semibold">
          <input type="checkbox" class="checkbox" name="enabled" value="true" defaultChecked={channel.enabled} />
          {t('cloud.switch')}
        </label>
        <ModeAndStream
          name=""
          motionOnly={motionOnly}
          mode={channel.mode}
          stream={channel.stream}
          audio={channel.audio}
        />
        <Choice
          key={options.length}
          label={t('cloud.definition')}
          name="definition"
          value={definition ?? ''}
          options={[['', t('cloud.asIs')] as const, ...options.map((one) => [one, definitionWords(one)] as const)]}
        />
        <fieldset class="flex flex-col">
          <legend class="font-semibold">{t('cloud.triggers')}</legend>
          {CLOUD_TRIGGERS.filter((one) => !motionOnly || one === 'motion').map((one) => (
            <label key={one} class="flex min-h-11 items-center gap-3">
              <input
                type="checkbox"
                class="checkbox"
                name={one}
                value="true"
                defaultChecked={channel.triggers.includes(one)}
              />
              {t(`cloud.trigger.${one}`)}
            </label>
          ))}
          {motionOnly && <p class="muted small">{t('cloud.solar')}</p>}
        </fieldset>
        <div>
          <Submit busy={save.busy} doing={t('form.saving')}>
            {t('action.save')}
          </Submit>
        </div>
      </Form>
    </div>
  );
}

/** Area, sensitivity, times and who is told, for each event that the device has. */
function Events({
  channel: { deviceId, channel, motionOnly },
  name,
  seen,
}: {
  channel: CloudChannel;
  name: string;
  seen: (section: Section, fields: SettingField[]) => void;
}) {
  const capabilities = useCapabilities(deviceId);
  const offered = EVENT_SECTIONS.filter(
    (section) =>
      (section === 'motion' || !motionOnly) &&
      capabilities.data?.sections.some((one) => one.section === section && one.channels?.includes(channel)),
  );
  return (
    <section class="flex flex-col gap-4" aria-label={t('cloud.eventSettings')}>
      <h2>{t('cloud.eventSettings')}</h2>
      <ProblemPanel error={capabilities.error} what={t('operations.failed', { name })} retry={capabilities.reload} />
      {!capabilities.data && !capabilities.error && <Skeleton lines={4} />}
      {capabilities.data && offered.length === 0 && <p class="muted">{t('cloud.noEventSettings')}</p>}
      {offered.map((section) => (
        <div key={section}>
          <h3 class="mb-2">{sectionWord(section)}</h3>
          <SettingsForm deviceId={deviceId} section={section} channel={channel} name={name} seen={seen} />
        </div>
      ))}
    </section>
  );
}
