import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { SaveOutput } from '../../../protocol/wire/receiver.ts';
import type { ReceiverOutput } from '../../client/api.gen.ts';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import type { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Copyable } from '../../components/serial.tsx';
import { api } from '../session.ts';
import { LIST, mapText, readMap } from './words.tsx';

type Config = ReceiverOutput['config'];
const KINDS = ['mlr2', 'dc09', 'webhook', 'pull'] as const;

/** Adds an output. A webhook's secret is shown this once. */
export function NewOutput() {
  const { route } = useLocation();
  const [secret, setSecret] = useState<string | null>(null);
  const save = useAction(async (wanted: SaveOutput) => {
    const made = await api.post('/arc-outputs', wanted);
    if (made.webhookSecret) setSecret(made.webhookSecret);
    else route(LIST);
  });
  if (secret) return <Secret text={secret} />;
  return (
    <>
      <Title>{t('outputs.addTitle')}</Title>
      <OutputForm busy={save.busy} error={save.error} save={save.run} />
    </>
  );
}

export function EditOutput({ outputId = '' }: { outputId?: string }) {
  const { route } = useLocation();
  const outputs = useResource((signal) => api.get('/arc-outputs', { signal }), []);
  const [secret, setSecret] = useState<string | null>(null);
  const params = { outputId };
  const save = useAction(async (wanted: SaveOutput) => {
    await api.put('/arc-outputs/{outputId}', wanted, { params });
    route(LIST);
  });
  const renew = useAction(async () => {
    const made = await api.post('/arc-outputs/{outputId}/secret', undefined, { params });
    setSecret(made.webhookSecret);
  });
  if (secret) return <Secret text={secret} />;
  const output = outputs.data?.items.find((one) => one.id === outputId);
  return (
    <>
      <Title>{output?.name ?? t('outputs.changeTitle')}</Title>
      <ProblemPanel error={outputs.error} what={t('outputs.failed')} retry={outputs.reload} />
      {!outputs.data && !outputs.error && <Skeleton lines={6} />}
      {outputs.data && !output && <p>{t('outputs.gone')}</p>}
      {output && <OutputForm old={output} busy={save.busy} error={save.error} save={save.run} />}
      {output?.config.kind === 'webhook' && (
        <Panel title={t('outputs.secret')}>
          <p class="muted max-w-prose">{t('outputs.renewText')}</p>
          <ProblemPanel error={renew.error} what={t('outputs.renewFailed')} />
          <button type="button" class="btn mt-2" aria-disabled={renew.busy} onClick={() => renew.run()}>
            {t('outputs.renew')}
          </button>
        </Panel>
      )}
    </>
  );
}

function Secret({ text }: { text: string }) {
  return (
    <>
      <Title>{t('outputs.secret')}</Title>
      <div class="panel flex max-w-xl flex-col gap-4" role="status">
        <p class="font-semibold">{t('outputs.secretText')}</p>
        <p>
          <Copyable text={text} label={t('outputs.secret')} />
        </p>
        <div>
          <a class="btn btn-primary" href={LIST}>
            {t('outputs.secretStored')}
          </a>
        </div>
      </div>
    </>
  );
}

function OutputForm({
  old,
  busy,
  error,
  save,
}: {
  old?: ReceiverOutput;
  busy: boolean;
  error: ApiError | null;
  save: (wanted: SaveOutput) => void;
}) {
  const [kind, setKind] = useState<Config['kind']>(old?.config.kind ?? 'mlr2');
  const [mode, setMode] = useState(old?.config.kind === 'mlr2' ? old.config.mode : 'server');
  const send = (fields: Record<string, string>) => {
    const config = configOf(kind, mode, fields);
    const key = kind === 'dc09' && (fields.key || 'noKey' in fields) ? { key: fields.key ?? '' } : {};
    save({ name: fields.name!, enabled: 'enabled' in fields, repeats: 'repeats' in fields, config, ...key });
  };
  const was = old?.config;
  const marked = kind === 'webhook' || kind === 'pull';
  return (
    <div class="panel flex max-w-xl flex-col gap-4">
      <ProblemPanel error={error} what={t('outputs.saveFailed')} focus />
      <Form onSubmit={send}>
        <Field label={t('outputs.name')} name="name" value={old?.name} required maxLength={64} error={error} />
        {old ? (
          <p>
            <span class="font-semibold">{t('outputs.kindLabel')}</span> {t(`outputs.kind.${kind}`)}
          </p>
        ) : (
          <Choice
            label={t('outputs.kindLabel')}
            name="kind"
            value={kind}
            options={KINDS.map((one) => [one, t(`outputs.kind.${one}`)] as const)}
            onChange={(value) => setKind(value as Config['kind'])}
          />
        )}
        <p class="muted small">{t(`outputs.about.${kind}`)}</p>
        {kind === 'dc09' && <Dc09Fields was={was?.kind === 'dc09' ? was : null} secret={old?.secret} error={error} />}
        {kind === 'mlr2' && (
          <Mlr2Fields was={was?.kind === 'mlr2' ? was : null} mode={mode} setMode={setMode} error={error} />
        )}
        {kind === 'webhook' && (
          <Field
            label={t('outputs.url')}
            hint={t('outputs.urlHint')}
            name="url"
            value={was?.kind === 'webhook' ? was.url : ''}
            required
            maxLength={1000}
            error={error}
          />
        )}
        <Check key={`repeats-${kind}`} name="repeats" on={old?.repeats ?? marked}>
          {t('outputs.repeats')}
        </Check>
        <Check name="enabled" on={old?.enabled ?? true}>
          {t('outputs.enabled')}
        </Check>
        <SubmitOrCancel busy={busy} doing={t('form.saving')} cancel={LIST}>
          {old ? t('outputs.save') : t('outputs.add')}
        </SubmitOrCancel>
      </Form>
    </div>
  );
}

function configOf(kind: Config['kind'], mode: 'server' | 'client', fields: Record<string, string>): Config {
  if (kind === 'pull') return { kind };
  if (kind === 'webhook') return { kind, url: fields.url! };
  const accounts = readMap(fields.accounts ?? '');
  const receiver = fields.receiver!.toUpperCase();
  const line = fields.line!.toUpperCase();
  if (kind === 'dc09') {
    const transport = fields.transport === 'udp' ? 'udp' : 'tcp';
    return { kind, host: fields.host!, port: Number(fields.port), transport, accounts, receiver, line };
  }
  const client = mode === 'client';
  return {
    kind,
    mode,
    accounts,
    receiver,
    line,
    otherAccount: fields.otherAccount!.toUpperCase(),
    host: client ? fields.host! : null,
    port: client ? Number(fields.port) : null,
    peers: client ? [] : (fields.peers ?? '').split(/[\s,]+/).filter(Boolean),
    heartbeatS: Number(fields.heartbeatS),
  };
}

interface Part<T> {
  was: T | null;
  error: ApiError | null;
}

function Dc09Fields({ was, secret, error }: Part<Extract<Config, { kind: 'dc09' }>> & { secret?: boolean }) {
  return (
    <>
      <HostAndPort host={was?.host} port={was?.port} error={error} />
      <Choice
        label={t('outputs.transport')}
        name="transport"
        value={was?.transport ?? 'tcp'}
        options={[
          ['tcp', 'TCP'],
          ['udp', 'UDP'],
        ]}
      />
      <Field
        label={t('outputs.key')}
        hint={secret ? t('outputs.keyKept') : t('outputs.keyHint')}
        name="key"
        mono
        maxLength={64}
        autoComplete="off"
        error={error}
      />
      {secret && (
        <Check name="noKey" on={false}>
          {t('outputs.keyRemove')}
        </Check>
      )}
      <Numbers receiver={was?.receiver ?? '0'} line={was?.line ?? '0'} error={error} />
      <Mapping accounts={was?.accounts ?? []} hint={t('outputs.mapHint')} />
    </>
  );
}

function Mlr2Fields({
  was,
  mode,
  setMode,
  error,
}: Part<Extract<Config, { kind: 'mlr2' }>> & {
  mode: 'server' | 'client';
  setMode: (mode: 'server' | 'client') => void;
}) {
  return (
    <>
      <Choice
        label={t('outputs.mode')}
        name="mode"
        value={mode}
        options={[
          ['server', t('outputs.modeServer')],
          ['client', t('outputs.modeClient')],
        ]}
        onChange={(value) => setMode(value as 'server' | 'client')}
      />
      {mode === 'client' ? (
        <HostAndPort host={was?.host ?? ''} port={was?.port ?? undefined} error={error} />
      ) : (
        <Field
          label={t('outputs.peers')}
          hint={t('outputs.peersHint')}
          name="peers"
          value={was?.peers.join(', ')}
          required
          error={error}
        />
      )}
      <Field
        label={t('outputs.heartbeat')}
        name="heartbeatS"
        value={String(was?.heartbeatS ?? 30)}
        required
        inputMode="numeric"
        pattern="[0-9]{1,3}"
        error={error}
      />
      <Numbers receiver={was?.receiver ?? '01'} line={was?.line ?? '1'} error={error} />
      <Mapping accounts={was?.accounts ?? []} hint={t('outputs.mlrMapHint')} />
      <Field
        label={t('outputs.otherAccount')}
        hint={t('outputs.otherAccountHint')}
        name="otherAccount"
        value={was?.otherAccount ?? '0000'}
        required
        mono
        pattern="[0-9A-Fa-f]{4}"
        error={error}
      />
    </>
  );
}

function HostAndPort({ host, port, error }: { host?: string; port?: number; error: ApiError | null }) {
  return (
    <>
      <Field label={t('outputs.host')} name="host" value={host} required maxLength={255} error={error} />
      <Field
        label={t('outputs.port')}
        name="port"
        value={port === undefined ? '' : String(port)}
        required
        inputMode="numeric"
        pattern="[0-9]{1,5}"
        error={error}
      />
    </>
  );
}

function Numbers({ receiver, line, error }: { receiver: string; line: string; error: ApiError | null }) {
  return (
    <div class="grid grid-cols-2 gap-4">
      <Field label={t('outputs.receiverNumber')} name="receiver" value={receiver} required mono error={error} />
      <Field label={t('outputs.lineNumber')} name="line" value={line} required mono error={error} />
    </div>
  );
}

function Mapping({ accounts, hint }: { accounts: { from: string; to: string }[]; hint: string }) {
  const id = useId();
  return (
    <div>
      <label for={id} class="font-semibold">
        {t('outputs.map')} <span class="muted font-normal">{t('form.optional')}</span>
      </label>
      <p id={`${id}-hint`} class="muted small">
        {hint}
      </p>
      <textarea
        id={id}
        name="accounts"
        rows={4}
        class="textarea mono mt-1 w-full"
        aria-describedby={`${id}-hint`}
        defaultValue={mapText(accounts)}
      />
    </div>
  );
}

function Check({ name, on, children }: { name: string; on: boolean; children: ComponentChildren }) {
  return (
    <label class="flex min-h-8 items-center gap-2">
      <input type="checkbox" class="checkbox checkbox-sm" name={name} defaultChecked={on} />
      {children}
    </label>
  );
}
