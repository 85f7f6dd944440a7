import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { InitialiseDevices } from '../../../protocol/wire/initialise.ts';
import { Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { LoginFields } from '../site/login-fields.tsx';
import { entered, type Found, isOnvifOnly, useReady } from './found.ts';

/** Chooses the devices that are set up by type, and begins the job. `?mac=a,b`: only these are chosen at first. */
export function InitialisePage() {
  const { base, site, siteId } = useSite();
  const { query, route } = useLocation();
  const ready = useReady();
  const wanted = query.mac ? new Set(query.mac.split(',')) : null;
  const [off, setOff] = useState<Set<string> | null>(null);
  const [nothing, setNothing] = useState(false);
  const devices = ready.data?.devices.filter((item) => !isOnvifOnly(item)) ?? [];
  const others = ready.data?.devices.filter(isOnvifOnly) ?? [];
  // One login for all of them would be a wrong try at each that has another: at first only those whose password is known.
  const isOff = (item: Found) =>
    off
      ? off.has(item.mac)
      : wanted
        ? !wanted.has(item.mac)
        : !ready.data?.isKept(item.mac) || ready.data.isAdded(item);
  const chosen = devices.filter((item) => !isOff(item));
  const without = chosen.filter((item) => !ready.data?.isKept(item.mac));
  const toggle = (mac: string) => {
    const now = new Set(devices.filter(isOff).map((item) => item.mac));
    if (!now.delete(mac)) now.add(mac);
    setOff(now);
  };
  const begin = useAction(async (fields: Record<string, string>) => {
    setNothing(chosen.length === 0);
    if (chosen.length === 0) return;
    let last = '';
    let count = 0;
    for (const [boxSerial, items] of Map.groupBy(chosen, (item) => item.boxSerial)) {
      const body: InitialiseDevices = {
        boxSerial,
        ...(fields.code && { verificationCode: fields.code }),
        devices: items.map((item) => ({
          mac: item.mac,
          ...login(item, fields),
          record: `record:${item.mac}` in fields,
        })),
      };
      const job = await api.post('/sites/{siteId}/jobs', body, { params: { siteId } });
      last = job.id;
      count++;
    }
    route(count === 1 ? `${base}/jobs/${last}` : `${base}/jobs`);
  });
  const login = (item: Found, fields: Record<string, string>) => {
    const own = fields[`password:${item.mac}`];
    const shared = without.includes(item) ? fields.password : undefined;
    const known = entered.get(item.mac);
    if (!own && !shared) return known ?? {};
    const typed = { username: fields.username || known?.username || 'admin', password: (own || shared) as string };
    entered.set(item.mac, typed);
    return typed;
  };
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('install.title')}</Title>
      <p class="max-w-prose">{t('install.text')}</p>
      <ProblemPanel error={ready.error} what={t('discovery.failed')} retry={ready.reload} />
      {!ready.data && !ready.error && <Skeleton lines={6} />}
      {ready.data && devices.length === 0 && <Empty title={t('install.none')}>{t('install.noneNext')}</Empty>}
      {devices.length > 0 && (
        <div class="panel flex max-w-2xl flex-col gap-4">
          <ProblemPanel error={begin.error} what={t('install.failed')} focus />
          {nothing && (
            <p role="alert">
              <State level="attention">{t('install.choose')}</State>
            </p>
          )}
          <Form onSubmit={begin.run} label={t('install.title')}>
            <fieldset>
              <legend class="font-semibold">{t('install.devices')}</legend>
              <p class="flex gap-4">
                <button type="button" class="btn" onClick={() => setOff(new Set())}>
                  {t('install.all')}
                </button>
                <button type="button" class="btn" onClick={() => setOff(new Set(devices.map((item) => item.mac)))}>
                  {t('install.nobody')}
                </button>
              </p>
              <p class="muted small mt-2">{t('install.recordHint')}</p>
              <ul class="mt-2 flex flex-col divide-y divide-base-300">
                {devices.map((item) => (
                  <Row
                    key={item.mac}
                    item={item}
                    on={!isOff(item)}
                    kept={ready.data!.isKept(item.mac)}
                    added={ready.data!.isAdded(item)}
                    toggle={() => toggle(item.mac)}
                  />
                ))}
              </ul>
              {others.length > 0 && (
                <p class="muted small mt-2">
                  {t('install.onvifOnly')} {others.map((item) => `${item.model} ${item.address}`.trim()).join(', ')}
                </p>
              )}
            </fieldset>
            {without.length > 0 && (
              <fieldset class="flex flex-col gap-4">
                <legend class="font-semibold">{t('install.login')}</legend>
                <LoginFields
                  username="admin"
                  passwordHint={t('install.loginHint')}
                  // Each may have one of its own instead.
                  optional
                  error={begin.error}
                />
              </fieldset>
            )}
            <Field
              label={t('install.code')}
              hint={t('install.codeHint')}
              name="code"
              mono
              maxLength={12}
              pattern="[A-Za-z0-9]{6,12}"
              autoComplete="off"
              error={begin.error}
            />
            <SubmitOrCancel busy={begin.busy} doing={t('install.doing')} cancel={`${base}/devices`}>
              {t('install.submit')}
            </SubmitOrCancel>
          </Form>
        </div>
      )}
      <p>
        <a class="link" href={`${base}/jobs`}>
          {t('jobs.all')}
        </a>
      </p>
    </>
  );
}

function Row({
  item,
  on,
  kept,
  added,
  toggle,
}: {
  item: Found;
  on: boolean;
  kept: boolean;
  added: boolean;
  toggle: () => void;
}) {
  const name = `${item.model || t('state.unknown')} ${item.address}`;
  const words = [kept && t('install.kept'), added && t('install.added')].filter(Boolean).join(' · ');
  return (
    <li class="flex flex-col gap-1 py-2">
      <label class="flex min-h-11 items-center gap-3">
        <input type="checkbox" class="checkbox shrink-0" checked={on} onChange={toggle} />
        <span class="min-w-0">
          {item.model || t('state.unknown')} <span class="mono muted small">{item.address}</span>
          {words && <span class="muted small block">{words}</span>}
        </span>
      </label>
      {on && (
        <div class="flex flex-col gap-1 pl-9">
          <label class="flex min-h-11 items-center gap-3">
            <input type="checkbox" class="checkbox shrink-0" name={`record:${item.mac}`} />
            <span>
              {t('install.record')} <span class="sr-only">{name}</span>
            </span>
          </label>
          <details>
            <summary class="link inline-block min-h-8">
              {t('install.own')} <span class="sr-only">{name}</span>
            </summary>
            <Field
              label={t('install.ownFor', { name })}
              name={`password:${item.mac}`}
              type="password"
              maxLength={128}
              autoComplete="off"
            />
          </details>
        </div>
      )}
    </li>
  );
}
