import { useState } from 'preact/hooks';
import type { ActivateDevices, ActivationResult, KeptPassword } from '../../../protocol/wire/activation.ts';
import type { DiscoveredDevice } from '../../../protocol/wire/box-api.ts';
import { Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { describe, ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Copyable } from '../../components/serial.tsx';
import { Time } from '../../components/time.tsx';
import { api, me } from '../session.ts';
import { useSite } from '../site/context.ts';

type Found = DiscoveredDevice & { boxSerial: string };
type From = ActivateDevices['password']['from'];

/** Gives all devices of the LAN that have none their first password, in one go, with a result for each. */
export function ActivatePage() {
  const { base, site, siteId } = useSite();
  const found = useResource((signal) => api.get('/sites/{siteId}/discovery', { params: { siteId }, signal }), [siteId]);
  const defaults = useResource((signal) => api.get('/company/device-defaults', { signal }), []);
  const kept = useResource(
    (signal) => api.get('/sites/{siteId}/activations', { params: { siteId }, signal }),
    [siteId],
  );
  const [results, setResults] = useState<Map<string, ActivationResult>>(new Map());
  const fresh = (found.data?.items ?? []).filter((item) => item.activated === false || results.has(item.mac));
  const activate = useAction(async (fields: Record<string, string>) => {
    const chosen = fresh.filter((item) => `mac:${item.mac}` in fields);
    const from = fields.from as From;
    const password: ActivateDevices['password'] =
      from === 'given' ? { from, password: fields.password ?? '', keepAsDefault: 'keep' in fields } : { from };
    for (const [boxSerial, items] of Map.groupBy(chosen, (item) => item.boxSerial)) {
      const body: ActivateDevices = { boxSerial, macs: items.map((item) => item.mac), password };
      const answer = await api.post('/sites/{siteId}/activations', body, { params: { siteId } });
      setResults((old) => new Map([...old, ...answer.items.map((item) => [item.mac, item] as const)]));
    }
    kept.reload();
    if (from === 'given' && 'keep' in fields) defaults.reload();
  });
  const left = fresh.filter((item) => !results.get(item.mac)?.activated);
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('activation.title')}</Title>
      <ProblemPanel error={found.error} what={t('activation.failed')} retry={found.reload} />
      {!found.data && !found.error && <Skeleton lines={6} />}
      {found.data && fresh.length === 0 && <Empty title={t('activation.none')}>{t('activation.noneNext')}</Empty>}
      {results.size > 0 && (
        <Panel title={t('activation.results')}>
          <ul role="status" class="flex flex-col gap-3">
            {fresh.map((item) => {
              const result = results.get(item.mac);
              return result && <Result key={item.mac} item={item} result={result} base={base} />;
            })}
          </ul>
        </Panel>
      )}
      {left.length > 0 && (
        <div class="panel flex max-w-2xl flex-col gap-4">
          <ProblemPanel error={activate.error} what={t('activation.failed')} focus />
          <Form onSubmit={activate.run} label={t('activation.title')}>
            <fieldset>
              <legend class="font-semibold">{t('activation.devices')}</legend>
              <ul>
                {left.map((item) => (
                  <li key={item.mac}>
                    <label class="flex min-h-11 items-center gap-3">
                      <input type="checkbox" class="checkbox shrink-0" name={`mac:${item.mac}`} defaultChecked />
                      <span>
                        {item.model || t('state.unknown')} <span class="mono muted small">{item.address}</span>
                        {item.addressConflict && (
                          <>
                            <br />
                            <State level="attention">{t('activation.conflict')}</State>
                          </>
                        )}
                      </span>
                    </label>
                  </li>
                ))}
              </ul>
            </fieldset>
            <Password hasDefault={defaults.data?.password ?? false} error={activate.error} />
            <SubmitOrCancel busy={activate.busy} doing={t('activation.doing')} cancel={`${base}/devices`}>
              {t('activation.submit', { count: left.length })}
            </SubmitOrCancel>
          </Form>
        </div>
      )}
      <ProblemPanel error={kept.error} what={t('activation.keptFailed')} retry={kept.reload} />
      {kept.data && kept.data.items.length > 0 && <Kept items={kept.data.items} found={found.data?.items ?? []} />}
    </>
  );
}

/** The devices whose first password is kept, to be looked up one by one. */
function Kept({ items, found }: { items: KeptPassword[]; found: Found[] }) {
  const mayShow = me.value?.admin || me.value?.permissions.includes('configure-devices');
  return (
    <Panel title={t('activation.keptList')} id="kept">
      <p class="muted max-w-prose">{t(mayShow ? 'activation.keptText' : 'activation.keptNeeds')}</p>
      <ul class="mt-2 flex flex-col divide-y divide-base-300">
        {items.map((item) => (
          <KeptRow
            key={item.mac}
            item={item}
            model={found.find((device) => device.mac === item.mac)?.model ?? ''}
            mayShow={mayShow === true}
          />
        ))}
      </ul>
    </Panel>
  );
}

function KeptRow({ item, model, mayShow }: { item: KeptPassword; model: string; mayShow: boolean }) {
  const { siteId } = useSite();
  const [login, setLogin] = useState<{ username: string; password: string } | null>(null);
  const show = useAction(async () => {
    const params = { siteId, mac: item.mac };
    setLogin(await api.post('/sites/{siteId}/activations/{mac}/reveal', undefined, { params }));
  });
  const name = `${model} ${item.mac}`.trim();
  return (
    <li class="flex flex-col gap-2 py-3">
      <div class="flex flex-wrap items-center justify-between gap-2">
        <span>
          {model && `${model} `}
          <span class="mono">{item.mac}</span>
          {item.activatedAt && (
            <span class="muted small">
              {' '}
              {t('time.since')} <Time at={item.activatedAt} />
            </span>
          )}
        </span>
        {mayShow && (
          <button
            type="button"
            class="btn"
            aria-disabled={show.busy}
            onClick={() => (login ? setLogin(null) : show.run())}
          >
            {t(login ? 'activation.hide' : show.busy ? 'activation.showing' : 'activation.show')}
            <span class="sr-only"> {name}</span>
          </button>
        )}
      </div>
      {!item.certain && <State level="attention">{t('activation.keptUncertain')}</State>}
      <ProblemPanel error={show.error} what={t('activation.showFailed')} />
      <div role="status" class="empty:hidden">
        {login && (
          <Facts
            items={[
              [
                t('activation.username'),
                <Copyable key="username" text={login.username} label={t('activation.username')} />,
              ],
              [
                t('activation.password'),
                <Copyable key="password" text={login.password} label={t('activation.password')} />,
              ],
            ]}
          />
        )}
      </div>
    </li>
  );
}

function Password({ hasDefault, error }: { hasDefault: boolean; error: ApiError | null }) {
  const [from, setFrom] = useState<From>('generated');
  const choices: From[] = ['generated', ...(hasDefault ? (['default'] as const) : []), 'given'];
  return (
    <fieldset class="flex flex-col gap-2">
      <legend class="font-semibold">{t('activation.password')}</legend>
      {choices.map((choice) => (
        <label key={choice} class="flex min-h-11 items-center gap-3">
          <input
            type="radio"
            class="radio shrink-0"
            name="from"
            value={choice}
            checked={from === choice}
            onChange={() => setFrom(choice)}
          />
          <span>
            {t(`activation.from.${choice}`)}
            <br />
            <span class="muted small">{t(`activation.hint.${choice}`)}</span>
          </span>
        </label>
      ))}
      {from === 'given' && (
        <>
          <Field
            label={t('activation.own')}
            name="password"
            type="password"
            required
            minLength={8}
            maxLength={16}
            autoComplete="new-password"
            hint={t('activation.rule')}
            error={error}
          />
          <label class="flex min-h-11 items-center gap-3">
            <input type="checkbox" class="checkbox shrink-0" name="keep" />
            {t('activation.keep')}
          </label>
        </>
      )}
    </fieldset>
  );
}

function Result({ item, result, base }: { item: Found; result: ActivationResult; base: string }) {
  const name = `${item.model || t('state.unknown')} ${item.address}`;
  if (result.activated) {
    return (
      <li class="flex flex-wrap items-center justify-between gap-2">
        <State level={result.weak ? 'attention' : 'well'}>
          {t(result.weak ? 'activation.weak' : 'activation.done', { name })}
        </State>
        <a class="btn" href={`${base}/devices/add?mac=${item.mac}&kept=1`}>
          {t('activation.add')}
          <span class="sr-only"> {name}</span>
        </a>
      </li>
    );
  }
  const said = describe(new ApiError(result.code ?? 'internal-error', 0, { detail: result.detail ?? undefined }));
  return (
    <li>
      <State level="problem">
        {t('activation.notDone', { name })} {result.detail ?? `${said.title}. ${said.next}`}
      </State>
    </li>
  );
}
