import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { type DeviceUpgrade, readPackageName, type UpgradesStarted } from '../../../protocol/wire/firmware.ts';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { sendFile } from './send.ts';

/** Firmware of a site's devices: what is newer, packages brought for single ones, and beginning the upgrade. */
export function UpgradesPage() {
  const { base, site, siteId } = useSite();
  const { route } = useLocation();
  const list = useResource((signal) => api.get('/sites/{siteId}/upgrades', { params: { siteId }, signal }), [siteId]);
  const [chosen, setChosen] = useState<Record<string, string>>({});
  const [started, setStarted] = useState<UpgradesStarted | null>(null);
  const items = list.data?.items ?? [];
  const wanted = items.filter((device) => (chosen[device.deviceId] ?? preset(device)) !== '');
  const start = useAction(async (fields: Record<string, string>) => {
    if (wanted.length === 0) throw new ApiError('invalid-request', 0, { detail: t('upgrade.choose') });
    if (!('agree' in fields)) throw new ApiError('invalid-request', 0, { detail: t('upgrade.mustAgree') });
    const body = {
      items: wanted.map((device) => {
        const password = fields[`password:${device.deviceId}`];
        const firmwareId = chosen[device.deviceId] ?? preset(device);
        return { deviceId: device.deviceId, firmwareId, ...(password && { password }) };
      }),
    };
    const answer = await api.post('/sites/{siteId}/upgrades', body, { params: { siteId } });
    const [job, ...others] = answer.jobs;
    if (job && others.length === 0 && answer.refused.length === 0) return void route(`${base}/jobs/${job.jobId}`);
    setStarted(answer);
  });
  const put = (device: DeviceUpgrade) => {
    list.set((old) => ({ items: old.items.map((one) => (one.deviceId === device.deviceId ? device : one)) }));
    if (device.own) setChosen((old) => ({ ...old, [device.deviceId]: device.own!.id }));
  };
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('upgrade.title')}</Title>
      <p class="muted max-w-prose">{t('upgrade.text')}</p>
      <ProblemPanel error={list.error} what={t('upgrade.failed')} retry={list.reload} />
      {!list.data && !list.error && <Skeleton lines={6} />}
      {list.data && items.length === 0 && <Empty title={t('upgrade.none')}>{t('upgrade.noneNext')}</Empty>}
      {started && <Started started={started} items={items} base={base} />}
      {items.length > 0 && (
        <Form onSubmit={start.run} label={t('upgrade.title')}>
          <ul class="grid gap-4 lg:grid-cols-2">
            {items.map((device) => (
              <Device
                key={device.deviceId}
                device={device}
                value={chosen[device.deviceId] ?? preset(device)}
                choose={(id) => setChosen((old) => ({ ...old, [device.deviceId]: id }))}
                put={put}
              />
            ))}
          </ul>
          <div class="panel flex max-w-2xl flex-col gap-4">
            <State level="attention">{t('upgrade.risk')}</State>
            <label class="flex min-h-11 items-center gap-3">
              <input type="checkbox" class="checkbox shrink-0" name="agree" />
              {t('upgrade.agree')}
            </label>
            <ProblemPanel error={start.error} what={t('upgrade.startFailed')} focus />
            <SubmitOrCancel busy={start.busy} doing={t('upgrade.doing')} cancel={`${base}/devices`}>
              {t('upgrade.submit', { count: wanted.length })}
            </SubmitOrCancel>
          </div>
        </Form>
      )}
    </>
  );
}

/** What stays chosen from last time, else what is newer. */
const preset = (device: DeviceUpgrade): string =>
  !device.boxSerial
    ? ''
    : device.own?.state === 'ready'
      ? device.own.id
      : device.online
        ? (device.available?.id ?? '')
        : '';

function Device(o: {
  device: DeviceUpgrade;
  value: string;
  choose: (firmwareId: string) => void;
  put: (device: DeviceUpgrade) => void;
}) {
  const { device, value } = o;
  const { name, model, firmware, available, own } = device;
  const options: [string, string][] = [['', available || own ? t('upgrade.leave') : t('upgrade.newest')]];
  if (available) options.push([available.id, t('upgrade.available', { version: available.version })]);
  if (own?.state === 'ready') options.push([own.id, t('upgrade.own', { file: own.fileName })]);
  const offered = [available, own].find((one) => one?.id === value);
  return (
    <li class="panel flex flex-col gap-3">
      <div>
        <strong>{name}</strong> <span class="muted">{model}</span>
        <p class="small">{firmware ? t('upgrade.now', { firmware }) : t('upgrade.unknown')}</p>
        {!device.boxSerial ? (
          <State level="info">{t('upgrade.byAddress')}</State>
        ) : (
          !device.online && <State level="unknown">{t('upgrade.offline')}</State>
        )}
      </div>
      {device.boxSerial && (
        <>
          <Choice
            key={value}
            label={t('upgrade.which', { name })}
            name={`firmware:${device.deviceId}`}
            options={options}
            value={value}
            onChange={o.choose}
          />
          {value !== '' && device.passwordNeeded && (
            <Field
              label={t('upgrade.password', { name })}
              name={`password:${device.deviceId}`}
              type="password"
              autoComplete="off"
              hint={t('upgrade.passwordHint')}
              required
            />
          )}
          {offered && (
            <a class="link self-start" href={`/api/v1/firmware/${offered.id}/package`} download>
              {t('upgrade.download')}
            </a>
          )}
          <Bring device={device} put={o.put} />
        </>
      )}
    </li>
  );
}

/** A package from this computer, for this device alone. */
function Bring({ device, put }: { device: DeviceUpgrade; put: (device: DeviceUpgrade) => void }) {
  const [percent, setPercent] = useState<number | null>(null);
  const send = useAction(async (file: File) => {
    if (!readPackageName(file.name)) throw new ApiError('invalid-request', 0, { detail: t('upgrade.nameWrong') });
    setPercent(0);
    try {
      const params = { deviceId: device.deviceId };
      const begun = await api.post(
        '/devices/{deviceId}/firmware',
        { fileName: file.name, size: file.size },
        { params },
      );
      await sendFile(begun.url, file, setPercent);
      put({ ...device, own: { ...begun.package, state: 'ready' } });
    } finally {
      setPercent(null);
    }
  });
  return (
    <details>
      <summary class="link min-h-11 cursor-pointer content-center">{t('upgrade.bring')}</summary>
      <label class="flex flex-col gap-1">
        <span class="font-semibold">{t('upgrade.bringFor', { name: device.name })}</span>
        <span class="muted small">{t('upgrade.bringHint')}</span>
        <input
          type="file"
          accept=".zip,application/zip"
          class="file-input w-full"
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? [];
            if (file) void send.run(file);
          }}
        />
      </label>
      {percent !== null && <p role="status">{t('upgrade.sending', { percent })}</p>}
      <ProblemPanel error={send.error} what={t('upgrade.sendFailed')} focus />
    </details>
  );
}

function Started({ started, items, base }: { started: UpgradesStarted; items: DeviceUpgrade[]; base: string }) {
  return (
    <div role="status" class="flex flex-col gap-3">
      {started.jobs.map((job) => (
        <a key={job.jobId} class="link" href={`${base}/jobs/${job.jobId}`}>
          {t('upgrade.begun')} ({job.boxSerial})
        </a>
      ))}
      {started.refused.length > 0 && (
        <Panel title={t('upgrade.refused')}>
          <ul class="flex flex-col gap-2">
            {started.refused.map((one) => (
              <li key={one.deviceId}>
                <State level="problem">{items.find((d) => d.deviceId === one.deviceId)?.name}</State>
                <p class="small">{say(one.detail)}</p>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </div>
  );
}
