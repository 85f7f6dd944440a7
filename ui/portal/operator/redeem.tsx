import { useState } from 'preact/hooks';
import type { Redeemed } from '../../../protocol/wire/operator.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Panel, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { api } from '../session.ts';
import { contentWords } from './keys.tsx';
import { LIMIT, Listed, usePages } from './list.tsx';

/** What a company does with the service keys that it was given. */
export function RedeemPage() {
  const list = usePages(api.paged('/company/service-keys', { query: { limit: LIMIT } }));
  const [done, setDone] = useState<Redeemed | null>(null);
  const redeem = useAction(async ({ keys = '' }: Record<string, string>) => {
    setDone(null);
    setDone(await api.post('/company/service-keys/redeem', { keys }));
    list.reload();
  });
  return (
    <>
      <Title>{t('operator.serviceKeys')}</Title>
      <Panel title={t('operator.redeem')}>
        <div class="flex max-w-2xl flex-col gap-4">
          <ProblemPanel error={redeem.error} what={t('operator.redeemFailed')} focus />
          <div role="status">
            {done && (
              <State level="well">
                {t('operator.redeemed', { content: done.added.map(contentWords).join(', ') })}{' '}
                {done.added.some((one) => one.content === 'employee-slots') &&
                  t('operator.slotsOf', { used: done.slotsUsed, all: done.slots })}
              </State>
            )}
          </div>
          <Form key={String(done?.slots)} onSubmit={redeem.run} label={t('operator.redeem')}>
            <Field
              label={t('operator.keysLabel')}
              hint={t('operator.keysHint')}
              name="keys"
              required
              mono
              maxLength={2000}
              autoComplete="off"
              error={redeem.error}
            />
            <Submit busy={redeem.busy} doing={t('form.saving')}>
              {t('operator.redeem')}
            </Submit>
          </Form>
        </div>
      </Panel>
      <Listed list={list} failed={t('operator.keysFailed')} none={t('operator.noneRedeemed')}>
        {(items) => (
          <table class="rows">
            <thead>
              <tr>
                <th>{t('operator.keyLabel')}</th>
                <th>{t('operator.gives')}</th>
                <th>{t('operator.redeemedAt')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((key) => (
                <tr key={key.id}>
                  <td data-label={t('operator.keyLabel')} class="mono">
                    …{key.ending}
                  </td>
                  <td data-label={t('operator.gives')}>{contentWords(key)}</td>
                  <td data-label={t('operator.redeemedAt')}>
                    <Time at={key.redeemedAt} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Listed>
    </>
  );
}
