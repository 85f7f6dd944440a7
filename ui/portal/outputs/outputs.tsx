import { useEffect, useState } from 'preact/hooks';
import type { ReceivedMessage, ReceiverOutput } from '../../client/api.gen.ts';
import { t } from '../../components/i18n.ts';
import { Empty, Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { LIST, OutputState, SENDERS, whereWords } from './words.tsx';

const REFRESH_MS = 5_000;

/** How received alarms reach the centre's own software: each way with its state, and what came last. */
export function Outputs() {
  const outputs = useResource((signal) => api.get('/arc-outputs', { signal }), []);
  const received = useResource((signal) => api.get('/arc-received', { query: { limit: 20 }, signal }), []);
  useEffect(() => {
    const timer = setInterval(() => {
      outputs.reload();
      received.reload();
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const remove = (output: ReceiverOutput) => {
    outputs.set(({ items }) => ({ items: items.filter((one) => one.id !== output.id) }));
    withUndo({
      text: t('outputs.removed', { name: output.name }),
      failed: t('outputs.removeFailed', { name: output.name }),
      run: (keepalive) => api.delete('/arc-outputs/{outputId}', { params: { outputId: output.id }, keepalive }),
      back: outputs.reload,
    });
  };
  const items = outputs.data?.items ?? [];
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title>{t('outputs.title')}</Title>
        <div class="flex flex-wrap gap-2">
          <a class="btn" href={SENDERS}>
            {t('outputs.senders')}
          </a>
          <a class="btn btn-primary" href={`${LIST}/new`}>
            {t('outputs.add')}
          </a>
        </div>
      </div>
      <p class="muted max-w-prose">{t('outputs.intro')}</p>
      <ProblemPanel error={outputs.error} what={t('outputs.failed')} retry={outputs.reload} />
      {!outputs.data && !outputs.error && <Skeleton lines={5} />}
      {outputs.data && items.length === 0 && <Empty title={t('outputs.none')}>{t('outputs.noneNext')}</Empty>}
      <div class="grid gap-4 md:grid-cols-2">
        {items.map((output) => (
          <Output
            key={output.id}
            output={output}
            remove={() => remove(output)}
            tested={() => {
              outputs.reload();
              received.reload();
            }}
          />
        ))}
      </div>
      {received.data && <Received items={received.data.items} outputs={items} />}
    </>
  );
}

function Output({ output, remove, tested }: { output: ReceiverOutput; remove: () => void; tested: () => void }) {
  const [sent, setSent] = useState(false);
  const test = useAction(async () => {
    await api.post('/arc-outputs/{outputId}/test', {}, { params: { outputId: output.id } });
    setSent(true);
    tested();
  });
  const { waiting, oldestWaitingAt, lastAcknowledgedAt, refused, unmapped } = output;
  return (
    <Panel title={output.name} id={`output-${output.id}`}>
      <Facts
        items={[
          [t('outputs.stateLabel'), <OutputState key="s" output={output} />],
          [t('outputs.kindLabel'), t(`outputs.kind.${output.config.kind}`)],
          [
            t('outputs.where'),
            <span key="w" class="break-all">
              {whereWords(output)}
            </span>,
          ],
          [
            t('outputs.waiting'),
            <span key="q">
              {waiting}
              {oldestWaitingAt && (
                <span class="muted">
                  {' '}
                  {t('outputs.since')} <Time at={oldestWaitingAt} />
                </span>
              )}
            </span>,
          ],
          [
            t('outputs.acknowledged'),
            lastAcknowledgedAt ? <Time key="a" at={lastAcknowledgedAt} /> : t('outputs.never'),
          ],
          refused > 0 && [t('outputs.refused'), String(refused)],
          unmapped.length > 0 && [
            t('outputs.unmapped'),
            <span key="u" class="mono">
              {unmapped.join(', ')}
            </span>,
          ],
        ]}
      />
      <ProblemPanel error={test.error} what={t('outputs.testFailed')} />
      <div class="mt-4 flex flex-wrap items-center gap-2">
        <button
          type="button"
          class="btn"
          aria-disabled={test.busy || !output.enabled}
          aria-label={t('outputs.testWhat', { name: output.name })}
          onClick={() => output.enabled && test.run()}
        >
          {t('outputs.test')}
        </button>
        <a class="btn" href={`${LIST}/${output.id}`} aria-label={t('outputs.changeWhat', { name: output.name })}>
          {t('outputs.change')}
        </a>
        <button type="button" class="btn" aria-label={t('outputs.removeWhat', { name: output.name })} onClick={remove}>
          {t('outputs.remove')}
        </button>
        <span role="status">{sent && t('outputs.testSent')}</span>
      </div>
    </Panel>
  );
}

function Received({ items, outputs }: { items: ReceivedMessage[]; outputs: ReceiverOutput[] }) {
  const names = new Map(outputs.map(({ id, name }) => [id, name]));
  return (
    <Panel title={t('outputs.last')} id="last-messages">
      {items.length === 0 && <p class="muted">{t('outputs.lastNone')}</p>}
      {items.length > 0 && (
        <table class="rows">
          <thead>
            <tr>
              <th>{t('outputs.received')}</th>
              <th>{t('outputs.account')}</th>
              <th>{t('outputs.message')}</th>
              <th>{t('outputs.becameOf')}</th>
            </tr>
          </thead>
          <tbody>
            {items.map((message) => (
              <tr key={message.id}>
                <td data-label={t('outputs.received')}>
                  <Time at={message.receivedAt} />
                </td>
                <td data-label={t('outputs.account')} class="mono">
                  {message.account}
                </td>
                <td data-label={t('outputs.message')}>
                  <span>
                    <span class="mono break-all">{message.data.replace(/^#[0-9A-F]+\|/, '')}</span>
                    {message.source !== 'device' && (
                      <span class="muted small block">{t(`outputs.source.${message.source}`)}</span>
                    )}
                    {message.repeatOf && <span class="muted small block">{t('outputs.repeat')}</span>}
                  </span>
                </td>
                <td data-label={t('outputs.becameOf')}>
                  <span>
                    {message.deliveries.length === 0 && <span class="muted">–</span>}
                    {message.deliveries.map((delivery) => (
                      <span key={delivery.outputId} class="block">
                        {names.get(delivery.outputId) ?? ''}: {t(`outputs.delivery.${delivery.state}`)}
                        {delivery.tries > 1 && ` · ${t('outputs.tries', { n: delivery.tries })}`}
                        {delivery.reason && <span class="muted small block">{say(delivery.reason)}</span>}
                      </span>
                    ))}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
