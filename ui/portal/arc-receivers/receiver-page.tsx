import { useState } from 'preact/hooks';
import { useLocation, useRoute } from 'preact-iso';
import type { ArcReceiver } from '../../../protocol/wire/arc-receiver.ts';
import { Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { type Resource, useAction, useResource } from '../../components/resource.ts';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { CodeFields, codesOf } from './codes.tsx';
import {
  Addresses,
  addressesOf,
  Encryption,
  Extended,
  encryptionOf,
  extendedOf,
  OwnLineFields,
  ownLineOf,
  Timing,
  timingOf,
} from './fields.tsx';
import { TestPanel } from './test.tsx';

export function NewReceiverPage() {
  return (
    <>
      <Title>{t('arcReceiver.new')}</Title>
      <ReceiverForm />
    </>
  );
}

export function ReceiverPage() {
  const { receiverId = '' } = useRoute().params;
  const params = { receiverId };
  const receiver = useResource((signal) => api.get('/arc-receivers/{receiverId}', { params, signal }), [receiverId]);
  const { data } = receiver;
  return (
    <>
      <Title>{data?.name ?? t('arcReceiver.one')}</Title>
      <ProblemPanel error={receiver.error} what={t('arcReceiver.oneFailed')} retry={receiver.reload} />
      {!data && !receiver.error && <Skeleton lines={10} />}
      {data && (
        // The test stands first where there is one column, at the side where there is room.
        <div class="grid items-start gap-6 xl:grid-cols-2">
          <div class="flex flex-col gap-6 xl:order-2">{data.kind === 'external' && <TestPanel receiver={data} />}</div>
          <div class="flex flex-col gap-6">
            <ReceiverForm receiver={receiver} old={data} />
            <Remove old={data} />
          </div>
        </div>
      )}
    </>
  );
}

function ReceiverForm({ receiver, old }: { receiver?: Resource<ArcReceiver>; old?: ArcReceiver }) {
  const { route } = useLocation();
  const [saved, setSaved] = useState<'saved' | 'followed' | null>(null);
  const [turn, setTurn] = useState(0);
  const save = useAction(async (fields: Record<string, string>) => {
    setSaved(null);
    const body = {
      ...addressesOf(fields),
      ...encryptionOf(fields),
      ...timingOf(fields),
      extended: extendedOf(fields),
      ownLine: ownLineOf(fields),
      codes: codesOf(fields),
    };
    if (!old) {
      const made = await api.post('/arc-receivers', body);
      route(`/arc/receivers/${made.id}`);
      return;
    }
    const next = await api.put('/arc-receivers/{receiverId}', body, { params: { receiverId: old.id } });
    receiver!.set(() => next);
    setSaved(next.accounts > 0 ? 'followed' : 'saved');
    // The key that was typed is not shown again.
    setTurn((n) => n + 1);
  });
  return (
    <div class="panel flex max-w-3xl flex-col gap-4">
      <ProblemPanel error={save.error} what={t('arcReceiver.saveFailed')} focus />
      <Form onSubmit={save.run} label={t('arcReceiver.settings')}>
        <Addresses old={old} error={save.error} />
        <Encryption key={turn} old={old} error={save.error} />
        <Timing old={old} error={save.error} />
        <Extended old={old} />
        <OwnLineFields old={old} error={save.error} />
        <CodeFields codes={old?.codes ?? []} />
        <SubmitOrCancel busy={save.busy} doing={t('form.saving')} cancel="/arc/receivers">
          {t(old ? 'action.save' : 'arcReceiver.add')}
        </SubmitOrCancel>
        <p role="status" class="empty:hidden">
          {saved && t(`arcReceiver.${saved}`, { count: old?.accounts ?? 0 })}
        </p>
      </Form>
    </div>
  );
}

function Remove({ old }: { old: ArcReceiver }) {
  const { route } = useLocation();
  if (old.accounts > 0) return null;
  const params = { receiverId: old.id };
  const remove = () => {
    route('/arc/receivers');
    withUndo({
      text: t('arcReceiver.removedNow', { name: old.name }),
      failed: t('arcReceiver.removeFailed', { name: old.name }),
      run: (keepalive) => api.delete('/arc-receivers/{receiverId}', { params, keepalive }),
      back: () => route(`/arc/receivers/${old.id}`),
    });
  };
  return (
    <Panel title={t('arcReceiver.remove')}>
      <div class="flex flex-col items-start gap-3">
        <p class="muted">{t('arcReceiver.removeText')}</p>
        <button type="button" class="btn" onClick={remove}>
          {t('arcReceiver.remove')}
        </button>
      </div>
    </Panel>
  );
}
