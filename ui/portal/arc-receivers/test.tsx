import { useState } from 'preact/hooks';
import type { ArcReceiver, ReceiverTest } from '../../../protocol/wire/arc-receiver.ts';
import { Choice, Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Panel } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { formatDuration } from '../../components/time.ts';
import { api } from '../session.ts';

/** One message from the relay to the receiver: what came back, and what is wrong where something is. */
export function TestPanel({ receiver }: { receiver: ArcReceiver }) {
  const [done, setDone] = useState<ReceiverTest | null>(null);
  const test = useAction(async (fields: Record<string, string>) => {
    setDone(null);
    const { account = '', message, key, keyFormat } = fields;
    setDone(
      await api.post(
        '/arc-receivers/{receiverId}/test',
        {
          account: account.trim().toUpperCase(),
          message: message as 'null' | 'test',
          ...(key ? { key, keyFormat: keyFormat as 'hex' | 'characters' } : {}),
        },
        { params: { receiverId: receiver.id } },
      ),
    );
  });
  return (
    <Panel title={t('arcReceiver.test')} id="test">
      <div class="flex flex-col gap-4">
        <p class="muted max-w-prose">{t('arcReceiver.testText')}</p>
        <ProblemPanel error={test.error} what={t('arcReceiver.testFailed')} focus />
        <Form onSubmit={test.run} label={t('arcReceiver.test')}>
          <div class="grid gap-4 sm:grid-cols-2">
            <Field
              label={t('arcReceiver.testAccount')}
              hint={t('arcReceiver.testAccountHint')}
              name="account"
              required
              mono
              pattern="[0-9A-Fa-f]{3,16}"
              maxLength={16}
              autoComplete="off"
              error={test.error}
            />
            <Choice
              label={t('arcReceiver.testMessage')}
              hint={t('arcReceiver.testMessageHint')}
              name="message"
              value="test"
              options={[
                ['test', t('arcReceiver.testRp')],
                ['null', t('arcReceiver.testNull')],
              ]}
            />
            <Field
              label={t('arcReceiver.testKey')}
              hint={t('arcReceiver.testKeyHint')}
              name="key"
              type="password"
              maxLength={64}
              autoComplete="off"
              error={test.error}
            />
            <Choice
              label={t('arcReceiver.keyFormat')}
              name="keyFormat"
              value={receiver.keyFormat}
              options={[
                ['hex', t('arcReceiver.keyHex')],
                ['characters', t('arcReceiver.keyCharacters')],
              ]}
            />
          </div>
          <div>
            <Submit busy={test.busy} doing={t('arcReceiver.testing')}>
              {t('arcReceiver.testNow')}
            </Submit>
          </div>
        </Form>
        <div role="status">{done && <Result done={done} />}</div>
      </div>
    </Panel>
  );
}

function Result({ done }: { done: ReceiverTest }) {
  const { result, steps, sent, answer, opened, clockOffsetMs, address } = done;
  const off = clockOffsetMs !== null && Math.abs(clockOffsetMs) > 10_000;
  return (
    <div class="flex flex-col gap-3">
      <p class="text-lg font-semibold">
        <State level={result === 'ok' ? 'well' : 'problem'}>{t(`arcReceiver.result.${result}`)}</State>
      </p>
      <p class="max-w-prose">{t(`arcReceiver.next.${result}`)}</p>
      {off && (
        <p>
          <State level="attention">{t('arcReceiver.clock', { offset: formatDuration(clockOffsetMs) })}</State>
        </p>
      )}
      <ol class="flex flex-col gap-1">
        {steps.map(({ step, ok, ms }) => (
          <li key={step}>
            <State level={ok ? 'well' : 'problem'}>
              {t(`arcReceiver.step.${step}.${ok ? 'ok' : 'bad'}`, { address: address ?? '' })}
              {ms !== null && <span class="muted"> {formatDuration(ms)}</span>}
            </State>
          </li>
        ))}
      </ol>
      {sent && <Frame label={t('arcReceiver.sent')} text={sent} />}
      {answer && <Frame label={t('arcReceiver.answer')} text={answer} />}
      {opened && <Frame label={t('arcReceiver.opened')} text={opened} />}
    </div>
  );
}

function Frame({ label, text }: { label: string; text: string }) {
  return (
    <div>
      <p class="muted small">{label}</p>
      <code class="mono small block select-all break-all">{text}</code>
    </div>
  );
}
