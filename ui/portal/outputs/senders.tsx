import { useState } from 'preact/hooks';
import type { ReceiverSender } from '../../client/api.gen.ts';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { LIST, SENDERS } from './words.tsx';

/** Devices that send to receivers which are this relay itself: where these are reached, and who may send. */
export function Senders() {
  const list = useResource((signal) => api.get('/arc-senders', { signal }), []);
  const [adding, setAdding] = useState(false);
  const add = useAction(async (fields: Record<string, string>) => {
    await api.post('/arc-senders', {
      receiverId: fields.receiverId!,
      account: fields.account!,
      name: fields.name!,
      key: fields.key || null,
      keyFormat: fields.keyFormat === 'characters' ? 'characters' : 'hex',
      localTime: 'localTime' in fields,
      supervisionS: fields.supervisionS ? Number(fields.supervisionS) : null,
    });
    setAdding(false);
    list.reload();
  });
  const remove = (sender: ReceiverSender) => {
    list.set((data) => ({ ...data, items: data.items.filter((one) => one.id !== sender.id) }));
    withUndo({
      text: t('outputs.senderRemoved', { name: sender.name }),
      failed: t('outputs.senderRemoveFailed', { name: sender.name }),
      run: (keepalive) => api.delete('/arc-senders/{senderId}', { params: { senderId: sender.id }, keepalive }),
      back: list.reload,
    });
  };
  const receivers = list.data?.receivers ?? [];
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title>{t('outputs.sendersTitle')}</Title>
        {receivers.length > 0 && !adding && (
          <button type="button" class="btn btn-primary" onClick={() => setAdding(true)}>
            {t('outputs.senderAdd')}
          </button>
        )}
      </div>
      <p class="muted max-w-prose">{t('outputs.sendersIntro')}</p>
      <ProblemPanel error={list.error} what={t('outputs.sendersFailed')} retry={list.reload} />
      {!list.data && !list.error && <Skeleton lines={5} />}
      {list.data && receivers.length === 0 && <Empty title={t('outputs.noHosted')}>{t('outputs.noHostedNext')}</Empty>}
      {receivers.length > 0 && (
        <Panel title={t('outputs.reached')}>
          <ul class="flex flex-col gap-1">
            {receivers.map(({ receiverId, name, port }) => (
              <li key={receiverId}>
                {name}: <span class="mono">{port === null ? t('outputs.noPort') : `${list.data?.host}:${port}`}</span>{' '}
                <span class="muted">TCP, UDP</span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      {adding && (
        <Panel title={t('outputs.senderAdd')}>
          <ProblemPanel error={add.error} what={t('outputs.saveFailed')} focus />
          <Form onSubmit={add.run}>
            <Choice
              label={t('outputs.receiver')}
              name="receiverId"
              options={receivers.map(({ receiverId, name }) => [receiverId, name] as const)}
            />
            <Field label={t('outputs.account')} name="account" required mono maxLength={16} error={add.error} />
            <Field label={t('outputs.name')} name="name" required maxLength={64} error={add.error} />
            <Field
              label={t('outputs.key')}
              hint={t('outputs.senderKeyHint')}
              name="key"
              maxLength={64}
              autoComplete="off"
              error={add.error}
            />
            <Choice
              label={t('outputs.keyFormat')}
              name="keyFormat"
              options={[
                ['hex', t('outputs.keyHex')],
                ['characters', t('outputs.keyCharacters')],
              ]}
            />
            <Field
              label={t('outputs.supervision')}
              hint={t('outputs.supervisionHint')}
              name="supervisionS"
              inputMode="numeric"
              pattern="[0-9]{2,6}"
              error={add.error}
            />
            <label class="flex min-h-8 items-center gap-2">
              <input type="checkbox" class="checkbox checkbox-sm" name="localTime" />
              {t('outputs.localTime')}
            </label>
            <SubmitOrCancel busy={add.busy} doing={t('form.saving')} cancel={SENDERS}>
              {t('outputs.senderAdd')}
            </SubmitOrCancel>
          </Form>
        </Panel>
      )}
      {list.data && list.data.items.length > 0 && (
        <div class="panel py-1 md:py-2">
          <table class="rows">
            <thead>
              <tr>
                <th>{t('outputs.account')}</th>
                <th>{t('outputs.name')}</th>
                <th>{t('outputs.receiver')}</th>
                <th>{t('outputs.heard')}</th>
                <th>
                  <span class="sr-only">{t('outputs.remove')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {list.data.items.map((sender) => (
                <tr key={sender.id}>
                  <td data-label={t('outputs.account')} class="mono">
                    {sender.account}
                  </td>
                  <td data-label={t('outputs.name')}>
                    <span>
                      {sender.name}
                      <span class="muted small block">
                        {t(sender.encrypted ? 'outputs.encrypted' : 'outputs.plain')}
                        {sender.supervisionS !== null && ` · ${t('outputs.every', { s: sender.supervisionS })}`}
                      </span>
                    </span>
                  </td>
                  <td data-label={t('outputs.receiver')}>
                    {receivers.find(({ receiverId }) => receiverId === sender.receiverId)?.name ?? '–'}
                  </td>
                  <td data-label={t('outputs.heard')}>
                    <span>
                      {sender.silentSince && (
                        <State level="problem">
                          {t('outputs.silent')} <Time at={sender.silentSince} />
                        </State>
                      )}
                      {sender.lastHeardAt ? (
                        <span class="block">
                          <Time at={sender.lastHeardAt} />
                        </span>
                      ) : (
                        <span class="muted">{t('outputs.never')}</span>
                      )}
                    </span>
                  </td>
                  <td class="wide">
                    <button
                      type="button"
                      class="btn"
                      aria-label={t('outputs.removeWhat', { name: sender.name })}
                      onClick={() => remove(sender)}
                    >
                      {t('outputs.remove')}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p>
        <a class="link" href={LIST}>
          {t('outputs.title')}
        </a>
      </p>
    </>
  );
}
