import { useState } from 'preact/hooks';
import type { MoveResult } from '../../../protocol/wire/move.ts';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { lookup, t } from '../../components/i18n.ts';
import { Mark, State } from '../../components/icons.tsx';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { viewerZone } from '../../components/time.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { Check } from './words.tsx';

/** Devices go to another site of the same owner; what was set up for them stays behind. */
export function MovePage() {
  const { siteId, base, site, devices } = useSite();
  const [search, setSearch] = useState('');
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [where, setWhere] = useState('');
  const [result, setResult] = useState<{ answer: MoveResult; names: Record<string, string> } | null>(null);
  const found = useResource(
    (signal) => api.get('/sites/{siteId}/movable-devices', { params: { siteId }, query: { search }, signal }),
    [siteId, search],
  );
  const items = found.data?.items ?? [];
  const target = found.data?.targets.find((each) => each.id === where);
  const behind = (serial: string | null) => items.filter((item) => item.boxSerial === serial);
  const lone = (id: string) => {
    const item = items.find((each) => each.deviceId === id);
    return item?.boxSerial && behind(item.boxSerial).some((other) => !chosen.includes(other.deviceId))
      ? item
      : undefined;
  };
  const move = useAction(async (fields: Record<string, string>) => {
    const wishes = chosen.map((deviceId) => {
      const [boxSerial, password] = [fields[`box ${deviceId}`], fields[`password ${deviceId}`]];
      return { deviceId, via: boxSerial && password ? { boxSerial, password } : null };
    });
    const to = where ? { siteId: where } : { name: fields.name!, timeZone: fields.timeZone! };
    const body = { devices: wishes, target: to };
    const answer = await api.post('/sites/{siteId}/move-devices', body, { params: { siteId } });
    // What was moved is in this list no more.
    setResult({ answer, names: Object.fromEntries(items.map((item) => [item.deviceId, item.name])) });
    setChosen([]);
    for (const part of [found, devices, site]) part.reload();
  });
  const toggle = (id: string, on: boolean) => {
    const item = items.find((each) => each.deviceId === id)!;
    // A device goes with everything behind its box, so the others are ticked with it.
    const group = item.boxSerial && on ? behind(item.boxSerial).filter((each) => !each.obstacle) : [item];
    const ids = group.map((each) => each.deviceId);
    setChosen(on ? [...new Set([...chosen, ...ids])] : chosen.filter((each) => each !== id));
  };
  const zones = [...new Set([viewerZone(), site.data!.timeZone, ...Intl.supportedValuesOf('timeZone')])].sort();
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('move.title')}</Title>
      <p class="flex max-w-prose gap-2">
        <span class="mt-1 shrink-0">
          <Mark level="attention" />
        </span>
        {t('move.warning')}
      </p>
      <ProblemPanel error={found.error} what={t('move.loadFailed')} retry={found.reload} />
      {!found.data && !found.error && <Skeleton lines={6} />}
      {result && <Result result={result.answer} names={result.names} />}
      {found.data && items.length === 0 && <Empty title={t('move.none')} />}
      {items.length > 0 && (
        <div class="panel flex max-w-3xl flex-col gap-4">
          <ProblemPanel error={move.error} what={t('move.failed')} focus />
          <Form onSubmit={move.run} label={t('move.title')}>
            <fieldset>
              <legend class="font-semibold">{t('move.which')}</legend>
              <ul class="flex flex-col divide-y divide-base-300">
                {items.map((item) => (
                  <li key={item.deviceId} class="flex flex-col gap-1 py-2">
                    {item.obstacle ? (
                      <span>
                        {item.name} <span class="muted">{t(`move.obstacle.${item.obstacle}`)}</span>
                      </span>
                    ) : (
                      <Check checked={chosen.includes(item.deviceId)} onChange={(on) => toggle(item.deviceId, on)}>
                        {item.name}{' '}
                        {item.boxSerial && (
                          <span class="muted">
                            {t('move.behind')} <span class="mono">{item.boxSerial}</span>
                          </span>
                        )}
                      </Check>
                    )}
                    {item.settings.length > 0 && (
                      <State level="attention">
                        {t('move.loses', { what: item.settings.map((each) => t(`move.setting.${each}`)).join(', ') })}
                      </State>
                    )}
                    {chosen.includes(item.deviceId) && lone(item.deviceId) && (
                      <div class="grid gap-4 rounded-box border border-base-300 p-3 sm:grid-cols-2">
                        <p class="small sm:col-span-2">{t(target?.boxes.length ? 'move.via' : 'move.alone')}</p>
                        {target && target.boxes.length > 0 && (
                          <>
                            <Choice
                              label={t('move.viaBox')}
                              name={`box ${item.deviceId}`}
                              options={target.boxes.map((serial) => [serial, serial])}
                            />
                            <Field
                              label={t('move.viaPassword')}
                              name={`password ${item.deviceId}`}
                              type="password"
                              maxLength={64}
                              autoComplete="off"
                              error={move.error}
                            />
                          </>
                        )}
                      </div>
                    )}
                  </li>
                ))}
              </ul>
            </fieldset>
            <Field label={t('move.search')} name="search" autoComplete="off" onInput={setSearch} />
            <Choice
              label={t('move.where')}
              hint={t('move.whereHint')}
              name="where"
              value={where}
              options={[
                ['', t('move.newSite')] as const,
                ...(found.data?.targets ?? []).map(({ id, name }) => [id, name] as const),
              ]}
              onChange={setWhere}
            />
            {!where && (
              <div class="grid gap-4 sm:grid-cols-2">
                <Field
                  label={t('move.name')}
                  name="name"
                  required
                  maxLength={64}
                  autoComplete="off"
                  error={move.error}
                />
                <Choice
                  label={t('move.zone')}
                  hint={t('move.zoneHint')}
                  name="timeZone"
                  value={site.data!.timeZone}
                  options={zones.map((zone) => [zone, zone])}
                />
              </div>
            )}
            {chosen.length > 0 ? (
              <SubmitOrCancel busy={move.busy} doing={t('move.doing')} cancel={`${base}/devices`}>
                {t('move.submit', { count: chosen.length })}
              </SubmitOrCancel>
            ) : (
              <p class="muted">{t('move.choose')}</p>
            )}
          </Form>
        </div>
      )}
    </>
  );
}

function Result({ result, names }: { result: MoveResult; names: Record<string, string> }) {
  return (
    <div role="status" class="panel">
      <h2>{t('move.result')}</h2>
      <ul class="mt-2 flex flex-col gap-1">
        {result.items.map((item) => (
          <li key={item.deviceId}>
            <State level={item.moved ? 'well' : 'problem'}>
              {names[item.deviceId]}{' '}
              {item.moved
                ? t('move.moved')
                : (lookup(`move.obstacle.${item.code}`) ??
                  lookup(`problem.${item.code}.title`) ??
                  say(item.detail ?? ''))}
            </State>
          </li>
        ))}
      </ul>
      {result.siteId && (
        <a class="link" href={`/sites/${result.siteId}/devices`}>
          {t('move.open')}
        </a>
      )}
    </div>
  );
}
