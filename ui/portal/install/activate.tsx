import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { ActivateDevices, ActivationResult } from '../../../protocol/wire/activation.ts';
import { Form, SubmitOrCancel } from '../../components/form.tsx';
import { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { describe, ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { codeOf, type From, Password, VerificationCode } from './activate-fields.tsx';
import { Defaults } from './defaults.tsx';
import { type Found, isPanel } from './found.ts';
import { Kept } from './kept-passwords.tsx';

/** So many in one request: results come as they are there, and a phone that goes away loses few. */
const AT_ONCE = 4;
const LOOK_MS = 5_000;

/**
 * Gives all devices of the LAN that have none their first password, in one go, with a result for each (INIT-03).
 * `?mac=a,b`: only these are chosen at first.
 */
export function ActivatePage() {
  const { base, site, siteId } = useSite();
  const { query } = useLocation();
  const wanted = query.mac ? new Set(query.mac.split(',')) : null;
  const found = useResource((signal) => api.get('/sites/{siteId}/discovery', { params: { siteId }, signal }), [siteId]);
  const defaults = useResource((signal) => api.get('/company/device-defaults', { signal }), []);
  const kept = useResource(
    (signal) => api.get('/sites/{siteId}/activations', { params: { siteId }, signal }),
    [siteId],
  );
  const [results, setResults] = useState<Map<string, ActivationResult>>(new Map());
  const [progress, setProgress] = useState<{ done: number; all: number } | null>(null);
  const fresh = (found.data?.items ?? []).filter(
    (item) => item.mac !== '' && (item.activated === false || results.has(item.mac)),
  );
  /** What was chosen by hand. */
  const [on, setOn] = useState<ReadonlyMap<string, boolean>>(new Map());
  // Control panels are set up elsewhere (DISC-10): only on purpose.
  const isOn = ({ mac, model }: Found) => on.get(mac) ?? (wanted ? wanted.has(mac) : !isPanel(model));
  const left = fresh.filter((item) => !results.get(item.mac)?.activated);
  const chosen = left.filter(isOn);
  const done = fresh.filter((item) => results.get(item.mac)?.activated).map((item) => item.mac);
  const activate = useAction(async (fields: Record<string, string>) => {
    if (chosen.length === 0) return;
    const from = fields.from as From;
    const password: ActivateDevices['password'] =
      from === 'given' ? { from, password: fields.password ?? '', keepAsDefault: 'keep' in fields } : { from };
    setProgress({ done: 0, all: chosen.length });
    let done = 0;
    try {
      for (const [boxSerial, items] of Map.groupBy(chosen, (item) => item.boxSerial)) {
        for (let i = 0; i < items.length; i += AT_ONCE) {
          const macs = items.slice(i, i + AT_ONCE).map((item) => item.mac);
          const body: ActivateDevices = { boxSerial, macs, password, verificationCode: codeOf(fields) };
          const answer = await api.post('/sites/{siteId}/activations', body, { params: { siteId } });
          setResults((old) => new Map([...old, ...answer.items.map((item) => [item.mac, item] as const)]));
          done += macs.length;
          setProgress({ done, all: chosen.length });
        }
      }
    } finally {
      setProgress(null);
    }
    kept.reload();
    if ('keep' in fields || 'keepCode' in fields) defaults.reload();
  });
  // What is plugged in meanwhile appears; a form that is being filled in keeps what was chosen.
  const wait = found.loading || found.error !== null || activate.busy;
  useEffect(() => {
    if (wait) return;
    const timer = setInterval(() => document.visibilityState === 'visible' && found.reload(), LOOK_MS);
    return () => clearInterval(timer);
  }, [wait, found.reload]);
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('activation.title')}</Title>
      <ProblemPanel error={found.error} what={t('activation.failed')} retry={found.reload} />
      {!found.data && !found.error && <Skeleton lines={6} />}
      {found.data && fresh.length === 0 && <Empty title={t('activation.none')}>{t('activation.noneNext')}</Empty>}
      {results.size > 0 && (
        <Panel title={t('activation.results')}>
          <div role="status">
            <ul class="flex flex-col gap-3">
              {fresh.map((item) => {
                const result = results.get(item.mac);
                return result && <Result key={item.mac} item={item} result={result} base={base} />;
              })}
            </ul>
          </div>
          {done.length > 0 && (
            <p class="mt-3">
              <a class="btn btn-primary" href={`${base}/initialise?mac=${done.join()}`}>
                {t('install.link')}
              </a>
            </p>
          )}
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
                      <input
                        type="checkbox"
                        class="checkbox shrink-0"
                        checked={isOn(item)}
                        onChange={() => setOn(new Map([...on, [item.mac, !isOn(item)]]))}
                      />
                      <span>
                        {item.model || t('state.unknown')} <span class="mono muted small">{item.address}</span>
                        <Issues item={item} />
                      </span>
                    </label>
                  </li>
                ))}
              </ul>
            </fieldset>
            <Password hasDefault={defaults.data?.password ?? false} error={activate.error} />
            <VerificationCode
              key={String(defaults.data?.verificationCode)}
              hasDefault={defaults.data?.verificationCode ?? false}
              error={activate.error}
            />
            <p role="status" class="empty:hidden">
              {progress && t('activation.progress', progress)}
            </p>
            <SubmitOrCancel busy={activate.busy} doing={t('activation.doing')} cancel={`${base}/devices`}>
              {t('activation.submit', { count: chosen.length })}
            </SubmitOrCancel>
          </Form>
        </div>
      )}
      <ProblemPanel error={kept.error} what={t('activation.keptFailed')} retry={kept.reload} />
      {kept.data && kept.data.items.length > 0 && <Kept items={kept.data.items} found={found.data?.items ?? []} />}
      <Defaults defaults={defaults} />
    </>
  );
}

/** What to know before it gets a password (INIT-06); none of it forbids that. */
function Issues({ item }: { item: Found }) {
  const words = [
    ...(item.addressConflict ? [t('activation.conflict')] : []),
    ...(item.reachable === false ? [t('activation.foreign')] : []),
    ...(['same-serial', 'weak-firmware'] as const).flatMap((issue) =>
      item.issues?.includes(issue) ? [t(`discovery.issue.${issue}`)] : [],
    ),
  ];
  return (
    <>
      {words.map((text) => (
        <span key={text} class="block">
          <State level="attention">{text}</State>
        </span>
      ))}
    </>
  );
}

function Result({ item, result, base }: { item: Found; result: ActivationResult; base: string }) {
  const name = `${item.model || t('state.unknown')} ${item.address}`;
  if (result.activated) {
    const how = result.way === 'sadp' || result.way === 'temporary-address' ? [t(`activation.way.${result.way}`)] : [];
    const { verificationCode } = result;
    const notes = verificationCode === 'failed' ? [t('activation.code.failed')] : [];
    if (verificationCode === 'none') how.push(t('activation.code.no'));
    return (
      <li class="flex flex-wrap items-center justify-between gap-2">
        <State level={notes.length > 0 || result.weak ? 'attention' : 'well'}>
          {[t(result.weak ? 'activation.weak' : 'activation.done', { name }), ...how, ...notes].join('; ')}
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
        {t('activation.notDone', { name })} {result.detail ? say(result.detail) : `${said.title}. ${said.next}`}
      </State>
    </li>
  );
}
