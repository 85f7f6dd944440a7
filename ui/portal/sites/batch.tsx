import { useState } from 'preact/hooks';
import type { Site } from '../../../protocol/wire/api.ts';
import type { BatchResult, SiteGroup, SiteManager } from '../../../protocol/wire/sites.ts';
import { Choice, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { api, me } from '../session.ts';
import { BatchOutcome, chosenGroup, GroupChoice } from './parts.tsx';

export type Candidate = Omit<SiteManager, 'until'>;
const namesOf = (sites: Site[]) => new Map(sites.map((site) => [site.id, site.name]));
/** The end that a form asks for: a time of the viewer's clock, or Lifetime. */
export const endOf = (fields: Record<string, string>): string | null =>
  fields.validity === 'until' && fields.until ? new Date(fields.until).toISOString() : null;

/** Lifetime, or until a time. */
export function ValidityFields() {
  const [kind, setKind] = useState('lifetime');
  return (
    <>
      <Choice
        label={t('sites.validity')}
        name="validity"
        value={kind}
        onChange={setKind}
        options={[
          ['lifetime', t('sites.lifetime')],
          ['until', t('sites.untilTime')],
        ]}
      />
      {kind === 'until' && (
        <label class="block">
          <span class="font-semibold">{t('sites.end')}</span>
          <input class="input mt-1" type="datetime-local" name="until" required />
        </label>
      )}
    </>
  );
}

/** Whom to choose: with the note of those that have no end. */
export function People({ items }: { items: Candidate[] }) {
  return (
    <fieldset>
      <legend class="font-semibold">{t('sites.people')}</legend>
      <div class="mt-1 max-h-64 overflow-y-auto">
        {items.map((person) => (
          <label key={person.userId} class="flex min-h-8 items-center gap-2">
            <input type="checkbox" class="checkbox checkbox-sm" name={`user:${person.userId}`} />
            <span>
              {person.name} <span class="muted small">{person.email}</span>
              {person.fixed && <span class="muted small"> · {t('sites.fixed')}</span>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** Those chosen in a sent form; who holds Manage All Sites has no end. */
export const chosenPeople = (items: Candidate[], fields: Record<string, string>) =>
  items
    .filter((person) => `user:${person.userId}` in fields)
    .map(({ userId, fixed }) => ({ userId, until: fixed ? null : endOf(fields) }));

/** Assigns several sites to several people. */
export function AssignPanel({ sites, done }: { sites: Site[]; done: () => void }) {
  const may = me.value?.admin || me.value?.permissions.includes('manage-all-sites');
  const people = useResource(
    async (signal) => (may ? await api.get('/assignable-employees', { signal }) : { items: [] }),
    [may],
  );
  const [result, setResult] = useState<BatchResult | null>(null);
  const assign = useAction(async (fields: Record<string, string>) => {
    setResult(null);
    const managers = chosenPeople(people.data?.items ?? [], fields);
    setResult(await api.post('/site-assignments', { siteIds: sites.map((site) => site.id), managers }));
    done();
  });
  return (
    <div class="flex flex-col gap-3">
      <h2>{t('sites.assign')}</h2>
      {!may ? (
        <p class="muted">{t('sites.assignNeeds')}</p>
      ) : (
        <>
          <ProblemPanel error={people.error} what={t('sites.peopleFailed')} retry={people.reload} />
          <ProblemPanel error={assign.error} what={t('sites.assignFailed')} focus />
          <BatchOutcome result={result} names={namesOf(sites)} />
          {!people.data && !people.error && <Skeleton />}
          {people.data && (
            <Form onSubmit={assign.run} label={t('sites.assign')}>
              <People items={people.data.items} />
              <ValidityFields />
              <div>
                <Submit busy={assign.busy} doing={t('form.saving')}>
                  {t('sites.assign')}
                </Submit>
              </div>
            </Form>
          )}
        </>
      )}
    </div>
  );
}

/** Moves several sites to a group. */
export function MovePanel({ sites, groups, done }: { sites: Site[]; groups: SiteGroup[]; done: () => void }) {
  const [result, setResult] = useState<BatchResult | null>(null);
  const move = useAction(async (fields: Record<string, string>) => {
    setResult(null);
    const siteIds = sites.map((site) => site.id);
    setResult(await api.post('/site-groups/moves', { siteIds, group: chosenGroup(fields) }));
    done();
  });
  return (
    <div class="flex flex-col gap-3">
      <h2>{t('sites.moveToGroup')}</h2>
      <ProblemPanel error={move.error} what={t('sites.moveFailed')} focus />
      <BatchOutcome result={result} names={namesOf(sites)} />
      <Form onSubmit={move.run} label={t('sites.moveToGroup')}>
        <GroupChoice groups={groups} />
        <div>
          <Submit busy={move.busy} doing={t('form.saving')}>
            {t('sites.moveToGroup')}
          </Submit>
        </div>
      </Form>
    </div>
  );
}
