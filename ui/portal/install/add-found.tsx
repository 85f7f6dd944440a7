import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { AddDevices, AddingResult } from '../../../protocol/wire/adding.ts';
import { Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { api } from '../session.ts';
import { checkedTypes, EventChecks } from '../site/checks.tsx';
import { useSite } from '../site/context.ts';
import { USUAL } from '../site/event-types.ts';
import { LoginFields } from '../site/login-fields.tsx';
import { Results } from '../sites/add-devices.tsx';
import { entered, type Found, useReady } from './found.ts';

/** One request takes so many. */
const MAX = 50;
type Wanted = AddDevices['devices'];

/** The last part of `192.0.2.17` tells two cameras of one model apart. */
const nameOf = (item: Found): string => `${item.model || item.mac} ${item.address.split('.').at(-1)}`.slice(0, 64);

/** Adds devices of the LAN that are set up, many at once, with a result for each (ADD-14, ADD-20). `?mac=`: these at first. */
export function AddFoundPage() {
  const { base, site, siteId, devices: added, boxes } = useSite();
  const { query } = useLocation();
  const ready = useReady();
  const wanted = query.mac ? new Set(query.mac.split(',')) : null;
  /** The person's own choice, from the first change on. */
  const [on, setOn] = useState<ReadonlySet<string> | null>(null);
  const [asked, setAsked] = useState<Wanted>([]);
  const [results, setResults] = useState<AddingResult[] | null>(null);
  const open = (ready.data?.devices ?? []).filter((item) => !ready.data?.isAdded(item));
  // One login for all of them would be a wrong try at each that has another: at first only those whose password is known.
  const isOn = ({ mac }: Found) => (on ?? wanted)?.has(mac) ?? ready.data?.isKept(mac) ?? false;
  const chosen = open.filter(isOn).slice(0, MAX);
  const without = chosen.some((item) => !ready.data?.isKept(item.mac));
  const add = useAction(async (list: Wanted) => {
    setAsked(list);
    const { items } = await api.post('/sites/{siteId}/additions', { devices: list }, { params: { siteId } });
    setResults(items);
    for (const one of [added, boxes, site]) one.reload();
  });
  const send = (fields: Record<string, string>) => {
    const { username = 'admin', password } = fields;
    const list = chosen.map((item): Wanted[number] => {
      const known = entered.get(item.mac);
      const typed = known ?? (ready.data?.isKept(item.mac) || !password ? { username } : { username, password });
      return {
        method: 'lan',
        boxSerial: item.boxSerial,
        name: fields[`name:${item.mac}`] || nameOf(item),
        ...typed,
        mac: item.mac,
        serial: item.serial || null,
        host: item.address,
        httpPort: item.httpPort ?? 80,
        recordOn: checkedTypes(fields, 'record'),
      };
    });
    if (list.length > 0) add.run(list);
  };
  if (results)
    return (
      <Results
        results={results}
        again={(i, login) => {
          const one = asked[i];
          if (!one) return;
          if (login && one.method === 'lan' && one.mac) entered.set(one.mac, login);
          add.run([{ ...one, ...login }]);
        }}
        busy={add.busy}
        lan={(i) => {
          const one = asked[i];
          return one?.method === 'lan' && one.mac ? { boxSerial: one.boxSerial, mac: one.mac } : null;
        }}
        more={() => {
          setResults(null);
          setOn(null);
          ready.reload();
        }}
      />
    );
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('addFound.title')}</Title>
      <p class="max-w-prose">{t('addFound.text', { site: site.data!.name })}</p>
      <p class="muted max-w-prose">
        {t('addFound.where')}{' '}
        <a class="link" href={`${base}/move`}>
          {t('addFound.elsewhere')}
        </a>
      </p>
      <ProblemPanel error={ready.error} what={t('discovery.failed')} retry={ready.reload} />
      {!ready.data && !ready.error && <Skeleton lines={6} />}
      {ready.data && open.length === 0 && <Empty title={t('addFound.none')}>{t('addFound.noneNext')}</Empty>}
      {open.length > 0 && (
        <div class="panel flex max-w-2xl flex-col gap-4">
          <ProblemPanel error={add.error} what={t('addFound.failed')} focus />
          <Form onSubmit={send} label={t('addFound.title')}>
            <ul class="flex flex-col divide-y divide-base-300">
              {open.map((item) => (
                <li key={item.mac} class="flex flex-col gap-2 py-3">
                  <label class="flex min-h-11 items-center gap-3">
                    <input
                      type="checkbox"
                      class="checkbox shrink-0"
                      checked={chosen.includes(item)}
                      onChange={() => {
                        const now = new Set(chosen.map((one) => one.mac));
                        if (!now.delete(item.mac)) now.add(item.mac);
                        setOn(now);
                      }}
                    />
                    <span class="min-w-0">
                      {item.model || t('state.unknown')} <span class="mono muted small">{item.address}</span>
                      {ready.data!.isKept(item.mac) && <span class="muted small block">{t('install.kept')}</span>}
                    </span>
                  </label>
                  {chosen.includes(item) && (
                    <Field
                      label={t('addFound.name', { device: `${item.model} ${item.address}` })}
                      name={`name:${item.mac}`}
                      value={nameOf(item)}
                      required
                      maxLength={64}
                      autoComplete="off"
                    />
                  )}
                </li>
              ))}
            </ul>
            {without && (
              <fieldset class="flex flex-col gap-4">
                <legend class="font-semibold">{t('install.login')}</legend>
                <LoginFields username="admin" passwordHint={t('install.loginHint')} error={add.error} />
              </fieldset>
            )}
            <details>
              <summary class="link inline-block min-h-8">{t('addFound.recordOn')}</summary>
              <EventChecks legend={t('add.recordOn')} name="record" chosen={USUAL} />
            </details>
            <SubmitOrCancel busy={add.busy} doing={t('addMany.doing')} cancel={`${base}/devices`}>
              {t('addFound.submit', { count: chosen.length })}
            </SubmitOrCancel>
          </Form>
        </div>
      )}
    </>
  );
}
