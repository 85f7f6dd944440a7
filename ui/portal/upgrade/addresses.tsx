import { useState } from 'preact/hooks';
import {
  type Addressing,
  addressFault,
  type LanResult,
  type SetAddresses,
  SUBNET_MASKS,
} from '../../../protocol/wire/lan.ts';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import type { Found } from '../install/found.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';

/** The one that it has, if it is of any use: many have one of another network, from their last place. */
function gatewayOf({ address, subnetMask, gateway }: Found): string {
  if (!gateway || gateway === '0.0.0.0' || !subnetMask) return '';
  return addressFault({ address, subnetMask, gateway }) === null ? gateway : '';
}

const nameOf = (item: Found) => `${item.model} ${item.mac}`.trim();

/** Addresses of one device or several: by DHCP, or fixed with a mask from the list. */
export function AddressesPage() {
  const { base, site, siteId } = useSite();
  const found = useResource((signal) => api.get('/sites/{siteId}/discovery', { params: { siteId }, signal }), [siteId]);
  const [mode, setMode] = useState<'dhcp' | 'fixed'>('dhcp');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [results, setResults] = useState<LanResult[]>([]);
  // A device without a MAC cannot be told from another at its address.
  const items = ((found.data?.items ?? []) as Found[]).filter((item) => item.mac !== '');
  const gateway =
    items
      .filter((item) => chosen.has(item.mac))
      .map(gatewayOf)
      .find(Boolean) ?? '';
  const save = useAction(async (fields: Record<string, string>) => {
    const wanted = items.filter((item) => chosen.has(item.mac));
    if (wanted.length === 0) throw new ApiError('invalid-request', 0, { detail: t('lan.choose') });
    const to = (item: Found): Addressing =>
      mode === 'dhcp'
        ? { dhcp: true }
        : {
            dhcp: false,
            address: fields[`address:${item.mac}`] ?? '',
            subnetMask: fields.mask as (typeof SUBNET_MASKS)[number],
            gateway: fields.gateway || null,
            dns: fields.dns ? [fields.dns] : [],
          };
    const done: LanResult[] = [];
    setResults(done);
    for (const [boxSerial, group] of Map.groupBy(wanted, (item) => item.boxSerial)) {
      const password = fields.password || undefined;
      const body: SetAddresses = { boxSerial, items: group.map((item) => ({ mac: item.mac, password, to: to(item) })) };
      done.push(...(await api.post('/sites/{siteId}/lan/addresses', body, { params: { siteId } })).items);
      setResults([...done]);
    }
    found.reload();
  });
  const toggle = (mac: string) =>
    setChosen((old) => (old.has(mac) ? new Set([...old].filter((one) => one !== mac)) : new Set([...old, mac])));
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('lan.title')}</Title>
      <p class="muted max-w-prose">{t('lan.text')}</p>
      <p>
        <a class="link" href={`${base}/recovery`}>
          {t('recovery.link')}
        </a>
      </p>
      <ProblemPanel error={found.error} what={t('lan.failed')} retry={found.reload} />
      {!found.data && !found.error && <Skeleton lines={6} />}
      {found.data && items.length === 0 && <Empty title={t('lan.none')}>{t('lan.noneNext')}</Empty>}
      {results.length > 0 && <Results results={results} items={items} />}
      {items.length > 0 && (
        <div class="panel flex max-w-2xl flex-col gap-4">
          <Form onSubmit={save.run} label={t('lan.title')}>
            <fieldset>
              <legend class="font-semibold">{t('lan.devices')}</legend>
              {items.map((item) => (
                <label key={item.mac} class="flex min-h-11 items-center gap-3">
                  <input
                    type="checkbox"
                    class="checkbox shrink-0"
                    checked={chosen.has(item.mac)}
                    onChange={() => toggle(item.mac)}
                  />
                  <span>
                    {item.model || t('state.unknown')} <span class="mono muted small">{item.address}</span>
                  </span>
                </label>
              ))}
            </fieldset>
            <Choice
              label={t('lan.mode')}
              name="mode"
              options={[
                ['dhcp', t('lan.dhcp')],
                ['fixed', t('lan.fixed')],
              ]}
              value={mode}
              onChange={(value) => setMode(value as typeof mode)}
            />
            {mode === 'fixed' && (
              <>
                {items
                  .filter((item) => chosen.has(item.mac))
                  .map((item) => (
                    <Field
                      key={item.mac}
                      label={t('lan.address', { name: nameOf(item) })}
                      name={`address:${item.mac}`}
                      value={item.address}
                      inputMode="text"
                      maxLength={15}
                      required
                    />
                  ))}
                <Choice label={t('lan.mask')} name="mask" options={SUBNET_MASKS.map((mask) => [mask, mask])} />
                <Field label={t('lan.gateway')} name="gateway" maxLength={15} value={gateway} />
                <Field label={t('lan.dns')} name="dns" maxLength={15} />
              </>
            )}
            <Field
              label={t('lan.password')}
              name="password"
              type="password"
              autoComplete="off"
              hint={t('lan.passwordHint')}
            />
            <ProblemPanel error={save.error} what={t('lan.setFailed')} focus />
            <SubmitOrCancel busy={save.busy} doing={t('lan.doing')} cancel={`${base}/devices`}>
              {t('lan.submit')}
            </SubmitOrCancel>
          </Form>
        </div>
      )}
    </>
  );
}

function Results({ results, items }: { results: LanResult[]; items: Found[] }) {
  return (
    <Panel title={t('lan.results')}>
      <ul role="status" class="flex flex-col gap-2">
        {results.map((result) => {
          const item = items.find((one) => one.mac === result.mac);
          return (
            <li key={result.mac}>
              <State level={result.done ? 'well' : 'problem'}>
                {item ? nameOf(item) : result.mac}{' '}
                {result.done && (result.address ? t('lan.done', { address: result.address }) : t('lan.doneDhcp'))}
              </State>
              {result.detail && <p class="small">{say(result.detail)}</p>}
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
