import { useState } from 'preact/hooks';
import { RETENTION_DAYS, TERMS } from '../../../protocol/wire/cloud.ts';
import { type IssuedKeys, KEY_STATES, type ServiceKey } from '../../../protocol/wire/operator.ts';
import type { QueryOf } from '../../client/client.ts';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { FilterBar, isFiltered, LIMIT, Listed, useFilters, usePages } from './list.tsx';

const LEVELS: Record<ServiceKey['state'], Level> = {
  open: 'info',
  redeemed: 'well',
  withdrawn: 'unknown',
  expired: 'attention',
};
export const contentWords = (of: Pick<ServiceKey, 'content' | 'package' | 'quantity'>) =>
  [
    t(`operator.content.${of.content}`, { count: of.quantity, days: of.package?.retentionDays ?? '' }),
    of.package && t(`operator.term.${of.package.term}`),
  ]
    .filter(Boolean)
    .join(', ');
/** What a key can give: account add-ons, or packages of cloud storage. */
const CONTENTS = RETENTION_DAYS.flatMap((days) => TERMS.map((term) => ({ days, term })));

/** The keys that were issued: what they give, and who redeemed them. */
export function ServiceKeys() {
  const [filters, set] = useFilters(['q', 'state']);
  const list = usePages(
    api.paged('/operator/service-keys', { query: { limit: LIMIT, ...filters } as QueryOf<'/operator/service-keys'> }),
  );
  const put = (key: ServiceKey) =>
    list.set((page) => ({ ...page, items: page.items.map((old) => (old.id === key.id ? key : old)) }));
  const withdraw = (key: ServiceKey) => {
    const params = { serviceKeyId: key.id };
    put({ ...key, state: 'withdrawn' });
    withUndo({
      text: t('operator.withdrawnNow', { ending: key.ending }),
      failed: t('operator.withdrawFailed', { ending: key.ending }),
      run: (keepalive) =>
        api.post('/operator/service-keys/{serviceKeyId}/withdraw', {}, { params, keepalive }).then(put),
      back: () => put(key),
    });
  };
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title>{t('operator.serviceKeys')}</Title>
        <a class="btn btn-primary" href="/operator/keys/new">
          {t('operator.issue')}
        </a>
      </div>
      <FilterBar
        label={t('operator.search')}
        hint={t('operator.keySearchHint')}
        filters={filters}
        set={set}
        choices={[
          {
            name: 'state',
            label: t('operator.state'),
            options: KEY_STATES.map((state) => [state, t(`operator.key.${state}`)]),
          },
        ]}
      />
      <Listed
        list={list}
        failed={t('operator.keysFailed')}
        none={t(isFiltered(filters) ? 'operator.noKeys' : 'operator.noKeysYet')}
        filtered={isFiltered(filters)}
      >
        {(items) => (
          <table class="rows">
            <thead>
              <tr>
                <th>{t('operator.keyLabel')}</th>
                <th>{t('operator.gives')}</th>
                <th>{t('operator.state')}</th>
                <th>{t('operator.note')}</th>
                <th>{t('operator.validUntil')}</th>
                <th>{t('operator.actions')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((key) => (
                <tr key={key.id}>
                  <td data-label={t('operator.keyLabel')} class="mono">
                    …{key.ending}
                  </td>
                  <td data-label={t('operator.gives')}>{contentWords(key)}</td>
                  <td data-label={t('operator.state')}>
                    <State level={LEVELS[key.state]}>
                      {t(`operator.key.${key.state}`)}
                      {key.company && (
                        <>
                          {': '}
                          <a class="link" href={`/operator/companies/${key.company.id}`}>
                            {key.company.name}
                          </a>
                        </>
                      )}
                    </State>
                  </td>
                  <td data-label={t('operator.note')} class={key.note ? '' : 'bare'}>
                    {key.note}
                  </td>
                  <td data-label={t('operator.validUntil')}>
                    <Time at={key.expiresAt} />
                  </td>
                  <td data-label={t('operator.actions')} class={key.state === 'open' ? '' : 'bare'}>
                    {key.state === 'open' && (
                      <button type="button" class="link" onClick={() => withdraw(key)}>
                        {t('operator.withdraw')}
                        <span class="sr-only"> …{key.ending}</span>
                      </button>
                    )}
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

/** Issues keys and shows them, this once. */
export function IssueKeysPage() {
  const [issued, setIssued] = useState<IssuedKeys | null>(null);
  const issue = useAction(async (fields: Record<string, string>) => {
    const of = CONTENTS.find(({ days, term }) => fields.content === `${days} ${term}`);
    setIssued(
      await api.post('/operator/service-keys', {
        content: of ? 'cloud-storage' : 'employee-slots',
        ...(of && { package: { retentionDays: of.days, term: of.term } }),
        quantity: Number(fields.quantity),
        count: Number(fields.count),
        note: fields.note ?? '',
      }),
    );
  });
  if (issued) return <Issued keys={issued.keys} />;
  const number = (name: string, label: string, value: string) => (
    <Field
      label={label}
      name={name}
      value={value}
      required
      inputMode="numeric"
      pattern="[0-9]{1,4}"
      autoComplete="off"
      error={issue.error}
    />
  );
  return (
    <>
      <Title>{t('operator.issue')}</Title>
      <div class="panel flex max-w-2xl flex-col gap-4">
        <ProblemPanel error={issue.error} what={t('operator.issueFailed')} focus />
        <Form onSubmit={issue.run} label={t('operator.issue')}>
          <Choice
            label={t('operator.gives')}
            name="content"
            options={[
              ['slots', t('operator.slotsContent')] as const,
              ...CONTENTS.map(({ days, term }) => {
                const words = t('operator.packageContent', { days, term: t(`operator.term.${term}`) });
                return [`${days} ${term}`, words] as const;
              }),
            ]}
          />
          {number('quantity', t('operator.quantity'), '5')}
          {number('count', t('operator.count'), '1')}
          <Field
            label={t('operator.note')}
            hint={t('operator.noteHint')}
            name="note"
            maxLength={200}
            autoComplete="off"
            error={issue.error}
          />
          <SubmitOrCancel busy={issue.busy} doing={t('form.saving')} cancel="/operator/keys">
            {t('operator.issue')}
          </SubmitOrCancel>
        </Form>
      </div>
    </>
  );
}

function Issued({ keys }: { keys: IssuedKeys['keys'] }) {
  return (
    <>
      <Title>{t('operator.issued')}</Title>
      <div class="panel flex max-w-2xl flex-col items-start gap-4">
        <p role="status">{t('operator.issuedText')}</p>
        <ul class="flex flex-col gap-1">
          {keys.map(({ id, key }) => (
            <li key={id} class="mono text-lg break-all select-all">
              {key}
            </li>
          ))}
        </ul>
        <a class="btn" href="/operator/keys">
          {t('operator.toKeys')}
        </a>
      </div>
    </>
  );
}
