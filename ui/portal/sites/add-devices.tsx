import { useState } from 'preact/hooks';
import type { AddDevices, AddingResult } from '../../../protocol/wire/adding.ts';
import { WHERE_FOUND } from '../../../protocol/wire/where-found.ts';
import { Field, Form, Submit, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Panel, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { UnbindHere } from '../install/unbind-here.tsx';
import { api } from '../session.ts';
import { checkedTypes, EventChecks } from '../site/checks.tsx';
import { useSite } from '../site/context.ts';
import { USUAL } from '../site/event-types.ts';
import { LoginFields } from '../site/login-fields.tsx';
import { type ImportLine, readImport } from './import.ts';
import { useFilters } from './lists.ts';

type Wanted = AddDevices['devices'];
const WAYS = ['serial', 'address', 'import'] as const;

/** Adds devices by their serial, by address or from a list, and shows what became of each. */
export function AddDevicesPage() {
  const { base, site, devices, boxes, siteId } = useSite();
  const { filters, set } = useFilters(['way', 'serial'] as const);
  const [asked, setAsked] = useState<Wanted>([]);
  const [results, setResults] = useState<AddingResult[] | null>(null);
  const [bad, setBad] = useState<ImportLine[]>([]);
  const team = site.data!.type === 'team';
  const ways = WAYS.filter((way) => way === 'serial' || !team);
  const way = ways.find((one) => one === filters.way) ?? 'serial';
  const add = useAction(async (wanted: Wanted) => {
    setAsked(wanted);
    const { items } = await api.post('/sites/{siteId}/additions', { devices: wanted }, { params: { siteId } });
    setResults(items);
    for (const list of [devices, boxes, site]) list.reload();
  });
  const send = (fields: Record<string, string>) => {
    if (way === 'import') {
      const lines = readImport(fields.lines ?? '');
      const wrong = lines.filter((line) => line.error !== null);
      setBad(wrong);
      if (wrong.length === 0) add.run(lines.flatMap((line) => line.device ?? []));
    } else add.run([way === 'serial' ? bySerial(fields) : byAddress(fields)]);
  };
  if (results) {
    return (
      <Results
        results={results}
        again={(i, login) => add.run(asked.slice(i, i + 1).map((one) => ({ ...one, ...login })))}
        busy={add.busy}
        more={() => setResults(null)}
      />
    );
  }
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('addMany.title')}</Title>
      <nav aria-label={t('addMany.ways')}>
        <ul class="tabs flex flex-wrap gap-4 border-b border-base-300">
          {ways.map((one) => (
            <li key={one}>
              <a
                href={`${base}/devices/add-many?way=${one}`}
                aria-current={one === way ? 'page' : undefined}
                onClick={(event) => {
                  event.preventDefault();
                  set({ way: one });
                }}
              >
                {t(`addMany.way.${one}`)}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      {team && <p class="muted max-w-prose">{t('addMany.team')}</p>}
      <div class="grid items-start gap-6 lg:grid-cols-2">
        <div class="panel flex flex-col gap-4">
          <p class="max-w-prose">{t(`addMany.text.${way}`)}</p>
          <ProblemPanel error={add.error} what={t('addMany.failed')} focus />
          {bad.length > 0 && (
            <div role="alert">
              <ul>
                {bad.map((line) => (
                  <li key={line.line}>
                    <State level="problem">
                      {t('addMany.line', { line: line.line })}: {t(`addMany.lineError.${line.error!}`)}
                    </State>
                  </li>
                ))}
              </ul>
            </div>
          )}
          <Form key={way} onSubmit={send} label={t(`addMany.way.${way}`)}>
            {way === 'serial' && <SerialFields serial={filters.serial} error={add.error} />}
            {way === 'address' && <AddressFields error={add.error} />}
            {way === 'import' && (
              <label class="block">
                <span class="font-semibold">{t('addMany.lines')}</span>
                <span class="muted small block">{t('addMany.linesHint')}</span>
                <textarea
                  name="lines"
                  required
                  rows={8}
                  maxLength={50_000}
                  class="input mono mt-1 h-auto whitespace-pre"
                  spellcheck={false}
                  autoComplete="off"
                />
              </label>
            )}
            <SubmitOrCancel busy={add.busy} doing={t('addMany.doing')} cancel={`${base}/devices`}>
              {t('addMany.submit')}
            </SubmitOrCancel>
          </Form>
        </div>
        {way === 'serial' && <WhereFound />}
        {way !== 'serial' && (
          <Panel title={t('addMany.withoutTitle')}>
            <p class="max-w-prose">{t('addMany.without')}</p>
          </Panel>
        )}
      </div>
    </>
  );
}

const trimmed = (text: string | undefined) => text?.trim() || null;
const bySerial = (fields: Record<string, string>): Wanted[number] => ({
  method: 'serial',
  serial: fields.serial!.replace(/\s/g, '').toUpperCase(),
  code: trimmed(fields.code),
  name: trimmed(fields.name),
  username: trimmed(fields.username),
  password: fields.password || null,
  recordOn: checkedTypes(fields, 'record'),
});
const byAddress = (fields: Record<string, string>): Wanted[number] => ({
  method: 'ip',
  name: fields.name!,
  host: fields.host!,
  port: Number(fields.port || 80),
  channelCount: Number(fields.channelCount || 1),
  username: fields.username!,
  password: fields.password!,
});

type Failed = Parameters<typeof Field>[0]['error'];
function SerialFields({ serial, error }: { serial: string; error: Failed }) {
  return (
    <>
      <Field
        label={t('addMany.serial')}
        hint={t('addMany.serialHint')}
        name="serial"
        value={serial}
        required
        mono
        minLength={9}
        maxLength={64}
        autoComplete="off"
        error={error}
      />
      <Field
        label={t('addMany.code')}
        hint={t('addMany.codeHint')}
        name="code"
        mono
        maxLength={32}
        autoComplete="off"
        error={error}
      />
      <Field
        label={t('addMany.name')}
        hint={t('addMany.nameHint')}
        name="name"
        maxLength={64}
        autoComplete="off"
        error={error}
      />
      <Field
        label={t('device.username')}
        hint={t('addMany.loginHint')}
        name="username"
        value="admin"
        maxLength={64}
        autoComplete="off"
        error={error}
      />
      <Field
        label={t('device.password')}
        name="password"
        type="password"
        maxLength={128}
        autoComplete="off"
        error={error}
      />
      <EventChecks legend={t('add.recordOn')} name="record" chosen={USUAL} />
    </>
  );
}

function AddressFields({ error }: { error: Failed }) {
  return (
    <>
      <Field label={t('addMany.name')} name="name" required maxLength={64} autoComplete="off" error={error} />
      <Field label={t('addMany.host')} name="host" required maxLength={255} autoComplete="off" error={error} />
      <Field
        label={t('add.port')}
        name="port"
        value="80"
        required
        inputMode="numeric"
        pattern="[0-9]{1,5}"
        error={error}
      />
      <Field
        label={t('addMany.channelCount')}
        name="channelCount"
        value="1"
        required
        inputMode="numeric"
        pattern="[0-9]{1,3}"
        error={error}
      />
      <Field
        label={t('device.username')}
        name="username"
        value="admin"
        required
        maxLength={64}
        autoComplete="off"
        error={error}
      />
      <Field
        label={t('device.password')}
        name="password"
        type="password"
        required
        maxLength={128}
        autoComplete="off"
        error={error}
      />
    </>
  );
}

/** What became of each device, and what can be done about it. */
export function Results({
  results,
  again,
  busy,
  more,
  lan,
}: {
  results: AddingResult[];
  /** A login that was refused is asked for once more. */
  again: (index: number, login?: { username: string; password: string }) => void;
  busy: boolean;
  more: () => void;
  /** Where a device is on the LAN, so that it can be taken away from another account from here. */
  lan?: (index: number) => { boxSerial: string; mac: string } | null;
}) {
  const { base, site } = useSite();
  const added = results.filter((result) => result.result === 'added').length;
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('addMany.resultTitle')}</Title>
      <p role="status" class="text-lg">
        <State level={added === results.length ? 'well' : 'attention'}>
          {t('addMany.result', { added, all: results.length })}
        </State>
      </p>
      <ul class="panel flex flex-col divide-y divide-base-300">
        {results.map((result, i) => (
          <li key={`${i} ${result.name}`} class="flex flex-col gap-2 py-3">
            <State level={result.result === 'added' ? 'well' : 'problem'}>
              <strong>{result.name}</strong>
              {': '}
              {result.result === 'added' ? t('addMany.added') : say(result.detail ?? '')}{' '}
              {result.code && <code class="mono muted small select-all">{result.code}</code>}
            </State>
            {result.result === 'added' && result.detail && <p class="muted pl-6">{say(result.detail)}</p>}
            <span class="flex flex-wrap gap-4 pl-6">
              {result.device && (
                <a class="link" href={`${base}/devices/${result.device.id}`}>
                  {t('addMany.open', { name: result.device.name })}
                </a>
              )}
              {result.device?.type === 'encoding' && result.device.boxSerial !== null && (
                <a class="link" href={`${base}/cloud/setup?device=${result.device.id}`}>
                  {t('box.cloud')}
                  <span class="sr-only">: {result.name}</span>
                </a>
              )}
              {result.actions.includes('add-again') && result.code !== 'device-refused-login' && (
                <button type="button" class="btn" aria-disabled={busy} onClick={() => !busy && again(i)}>
                  {t('addMany.again')}
                  <span class="sr-only">: {result.name}</span>
                </button>
              )}
              {result.actions.includes('unbind') && !lan?.(i) && <span class="muted">{t('addMany.unbind')}</span>}
            </span>
            {result.actions.includes('add-again') && result.code === 'device-refused-login' && (
              <div class="max-w-md pl-6">
                <Form
                  label={`${t('addMany.again')}: ${result.name}`}
                  onSubmit={({ username = 'admin', password = '' }) => !busy && again(i, { username, password })}
                >
                  <LoginFields username="admin" passwordHint={t('addMany.refusedHint')} error={null} />
                  <Submit busy={busy} doing={t('addMany.doing')}>
                    {t('addMany.again')}
                    <span class="sr-only">: {result.name}</span>
                  </Submit>
                </Form>
              </div>
            )}
            {result.actions.includes('unbind') && lan?.(i) && (
              <UnbindHere {...lan(i)!} name={result.name} done={() => again(i)} />
            )}
          </li>
        ))}
      </ul>
      <p class="flex flex-wrap gap-4">
        <button type="button" class="btn" onClick={more}>
          {t('addMany.more')}
        </button>
        <a class="link" href={`${base}/devices`}>
          {t('addMany.toDevices')}
        </a>
      </p>
    </>
  );
}

/** Where serial number and verification code of each kind of device are found. */
function WhereFound() {
  const places = (list: readonly ('label' | 'labelQr' | 'local' | 'web')[]) =>
    list.length === 0 ? t('whereFound.none') : list.map((place) => t(`whereFound.${place}`)).join(', ');
  return (
    <Panel title={t('whereFound.title')}>
      <table class="rows">
        <thead>
          <tr>
            <th>{t('whereFound.device')}</th>
            <th>{t('whereFound.serial')}</th>
            <th>{t('whereFound.code')}</th>
          </tr>
        </thead>
        <tbody>
          {WHERE_FOUND.map((row) => (
            <tr key={row.device}>
              <td data-label={t('whereFound.device')} class="wide">
                <strong>{t(`whereFound.of.${row.device}`)}</strong>
              </td>
              <td data-label={t('whereFound.serial')}>{places(row.serial)}</td>
              <td data-label={t('whereFound.code')}>
                {places(row.code)}
                {row.device === 'radar' && ` (${t('whereFound.dynamic')})`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="muted small mt-3 max-w-prose">{t('whereFound.paths')}</p>
    </Panel>
  );
}
