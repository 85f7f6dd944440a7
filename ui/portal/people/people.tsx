import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { JoinRequest, Person } from '../../../protocol/wire/people.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { Invitations } from './invitations.tsx';
import { RoleBoxes, rolesIn } from './roles.tsx';

/** The company's people, who was invited, and who asks to join. */
export function PeoplePage() {
  const { query, route, path } = useLocation();
  const search = query.search ?? '';
  const [more, setMore] = useState<{ search: string; items: Person[]; cursor: string | null } | null>(null);
  const people = useResource((signal) => api.get('/people', { query: { search, limit: 100 }, signal }), [search]);
  const further = more?.search === search ? more : null;
  const cursor = further ? further.cursor : (people.data?.nextCursor ?? null);
  const load = useAction(async () => {
    const page = await api.get('/people', { query: { search, limit: 100, cursor: cursor ?? '' } });
    setMore({ search, items: [...(further?.items ?? []), ...page.items], cursor: page.nextCursor });
  });
  const items = [...(people.data?.items ?? []), ...(further?.items ?? [])];
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title>{t('people.title')}</Title>
        <a class="btn btn-primary" href="/company/people/invite">
          {t('people.invite')}
        </a>
      </div>
      <JoinRequests joined={people.reload} />
      <section class="panel flex flex-col gap-4" aria-label={t('people.title')}>
        <Form
          onSubmit={(fields) => route(fields.search ? `${path}?search=${encodeURIComponent(fields.search)}` : path)}
          label={t('people.search')}
        >
          <div class="flex flex-wrap items-end gap-4">
            <Field key={search} label={t('people.search')} name="search" value={search} maxLength={64} />
            <button type="submit" class="btn">
              {t('people.find')}
            </button>
          </div>
        </Form>
        <ProblemPanel error={people.error} what={t('people.failed')} retry={people.reload} />
        {!people.data && !people.error && <Skeleton lines={6} />}
        {people.data && items.length === 0 && (
          <Empty title={t('people.nobody')}>
            <a class="link" href={path}>
              {t('people.all')}
            </a>
          </Empty>
        )}
        {items.length > 0 && <PeopleTable items={items} />}
        {cursor && (
          <button type="button" class="btn self-start" aria-disabled={load.busy} onClick={() => load.run()}>
            {t('people.more')}
          </button>
        )}
      </section>
      <Invitations />
    </>
  );
}

/** How an account is: in a word and a shape. */
export function personState(person: Person): { level: Level; text: string } {
  if (!person.enabled) return { level: 'problem', text: t('people.disabled') };
  if (person.limited) return { level: 'attention', text: t('people.limited') };
  return { level: 'well', text: t('people.enabled') };
}

function PeopleTable({ items }: { items: Person[] }) {
  return (
    <table class="rows">
      <thead>
        <tr>
          <th>{t('people.name')}</th>
          <th>{t('people.address')}</th>
          <th>{t('people.roles')}</th>
          <th>{t('people.state')}</th>
        </tr>
      </thead>
      <tbody>
        {items.map((person) => {
          const { level, text } = personState(person);
          return (
            <tr key={person.id}>
              <td class="wide" data-label={t('people.name')}>
                <a class="link" href={`/company/people/${person.id}`}>
                  {person.name}
                </a>
              </td>
              <td class="wide" data-label={t('people.address')}>
                {person.email ?? person.phone}
              </td>
              <td data-label={t('people.roles')}>
                {person.admin ? t('people.admin') : person.roles.map((role) => role.name).join(', ') || t('state.none')}
              </td>
              <td data-label={t('people.state')}>
                <State level={level}>{text}</State>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function JoinRequests({ joined }: { joined: () => void }) {
  const requests = useResource((signal) => api.get('/join-requests', { signal }), []);
  const items = requests.data?.items ?? [];
  const drop = (id: string) => requests.set((old) => ({ items: old.items.filter((each) => each.id !== id) }));
  if (requests.error)
    return <ProblemPanel error={requests.error} what={t('people.requestsFailed')} retry={requests.reload} />;
  if (items.length === 0) return null;
  return (
    <Panel title={t('people.requests')}>
      <ul class="flex flex-col divide-y divide-base-300">
        {items.map((request) => (
          <li key={request.id} class="py-4 first:pt-0 last:pb-0">
            <Request
              request={request}
              accepted={() => {
                drop(request.id);
                joined();
              }}
              refuse={() => {
                drop(request.id);
                withUndo({
                  text: t('people.refused', { name: request.name }),
                  failed: t('people.refuseFailed', { name: request.name }),
                  run: (leaving) =>
                    api.post('/join-requests/{joinRequestId}/refuse', undefined, {
                      params: { joinRequestId: request.id },
                      keepalive: leaving,
                    }),
                  back: requests.reload,
                });
              }}
            />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Request({ request, accepted, refuse }: { request: JoinRequest; accepted: () => void; refuse: () => void }) {
  const [open, setOpen] = useState(false);
  const accept = useAction(async (fields: Record<string, string>) => {
    const params = { joinRequestId: request.id };
    await api.post('/join-requests/{joinRequestId}/accept', { roles: rolesIn(fields) }, { params });
    accepted();
  });
  return (
    <div class="flex flex-col gap-2">
      <p>
        <strong>{request.name}</strong>, {request.email}{' '}
        <span class="muted">
          <Time at={request.createdAt} />
        </span>
      </p>
      {request.message && <p>“{request.message}”</p>}
      <ProblemPanel error={accept.error} what={t('people.acceptFailed', { name: request.name })} focus />
      {open ? (
        <Form onSubmit={accept.run} label={t('people.letIn', { name: request.name })}>
          <RoleBoxes held={[]} />
          <div class="flex flex-wrap items-center gap-4">
            <Submit busy={accept.busy} doing={t('form.saving')}>
              {t('people.accept')}
            </Submit>
            <button type="button" class="link" onClick={() => setOpen(false)}>
              {t('action.cancel')}
            </button>
          </div>
        </Form>
      ) : (
        <div class="flex flex-wrap gap-4">
          <button
            type="button"
            class="btn"
            aria-label={t('people.letIn', { name: request.name })}
            onClick={() => setOpen(true)}
          >
            {t('people.accept')}
          </button>
          <button
            type="button"
            class="btn"
            aria-label={t('people.refuseWhom', { name: request.name })}
            onClick={refuse}
          >
            {t('people.refuse')}
          </button>
        </div>
      )}
    </div>
  );
}
