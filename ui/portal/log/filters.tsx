import { useId, useState } from 'preact/hooks';
import { Choice, Field, Form } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { api } from '../session.ts';

/** What is looked for, as it stands in the address; `from` and `to` are days of the viewer. */
export const FILTERS = ['userId', 'siteId', 'from', 'to', 'text'] as const;
export type Filters = Partial<Record<(typeof FILTERS)[number], string>>;

const DAY = /^\d{4}-\d\d-\d\d$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Of an address only what can be looked for. */
export function filtersOf(query: Record<string, string>): Filters {
  const known: Record<(typeof FILTERS)[number], RegExp> = {
    userId: UUID,
    siteId: UUID,
    from: DAY,
    to: DAY,
    text: /\S/,
  };
  return Object.fromEntries(
    FILTERS.flatMap((name) => (known[name].test(query[name] ?? '') ? [[name, query[name]!.slice(0, 64)]] : [])),
  );
}

/** As the relay takes it: from the first moment of a day to the last of another. */
export function logQuery({ from, to, ...rest }: Filters) {
  const begin = (day: string, later: number) => {
    const [year, month, date] = day.split('-').map(Number) as [number, number, number];
    return new Date(year, month - 1, date + later).toISOString();
  };
  return { ...rest, from: from && begin(from, 0), to: to && begin(to, 1) };
}

export const addressOf = (filters: Filters): string => {
  const search = new URLSearchParams(filters as Record<string, string>).toString();
  return search ? `?${search}` : '';
};

/** The fields above the log. Nothing happens before they are sent, so that a keyboard is not overtaken. */
export function LogFilters({
  filters,
  others,
  siteName,
  path,
  onChange,
}: {
  filters: Filters;
  /** Whether operations of others can be seen. */
  others: boolean;
  siteName: string | undefined;
  /** Of the page, which is the log without filters. */
  path: string;
  onChange: (filters: Filters) => void;
}) {
  const operators = useResource((signal) => api.get('/log/operators', { signal }), []);
  const people = operators.data?.items ?? [];
  const [site, setSite] = useState(filters.siteId);
  const send = ({ userId, from, to, text }: Record<string, string>) =>
    onChange(filtersOf({ userId: userId ?? '', siteId: site ?? '', from: from ?? '', to: to ?? '', text: text ?? '' }));
  return (
    <details class="panel" open={Object.keys(filters).length > 0 || matchMedia('(min-width: 46rem)').matches}>
      <summary class="mb-2 cursor-pointer font-semibold">{t('log.filters')}</summary>
      <ProblemPanel error={operators.error} what={t('log.failed')} retry={operators.reload} />
      <Form onSubmit={send} label={t('log.filters')}>
        <div class="grid gap-4 md:grid-cols-3">
          {others && (
            <Choice
              key={people.length}
              label={t('log.employee')}
              name="userId"
              value={filters.userId ?? ''}
              options={[['', t('log.all')], ...people.map(({ userId, name }) => [userId, name] as const)]}
            />
          )}
          <SiteChoice chosen={filters.siteId} name={siteName} onChange={setSite} />
          <Field
            label={t('log.text')}
            hint={t('log.textHint')}
            name="text"
            value={filters.text ?? ''}
            maxLength={64}
            autoComplete="off"
          />
          <DayField label={t('log.from')} name="from" value={filters.from} />
          <DayField label={t('log.to')} name="to" value={filters.to} />
        </div>
        <div class="flex flex-wrap items-center gap-4">
          <button type="submit" class="btn">
            {t('log.filter')}
          </button>
          {Object.keys(filters).length > 0 && (
            <a class="link" href={path}>
              {t('log.reset')}
            </a>
          )}
        </div>
      </Form>
    </details>
  );
}

/** A day of the viewer's. */
export function DayField({ label, name, value }: { label: string; name: string; value: string | undefined }) {
  const id = useId();
  return (
    <div>
      <label for={id} class="font-semibold">
        {label} <span class="muted font-normal">{t('form.optional')}</span>
      </label>
      <input id={id} type="date" name={name} defaultValue={value} class="input mt-1" />
    </div>
  );
}

/** A site by its name, with those that match as suggestions. */
function SiteChoice({
  chosen,
  name,
  onChange,
}: {
  chosen: string | undefined;
  name: string | undefined;
  onChange: (siteId: string | undefined) => void;
}) {
  const id = useId();
  const [typed, setTyped] = useState<string | null>(null);
  const q = typed ?? '';
  const sites = useResource((signal) => api.get('/sites', { query: { limit: 20, ...(q ? { q } : {}) }, signal }), [q]);
  const found = sites.data?.items ?? [];
  const unknown = q !== '' && sites.data && !found.some((site) => site.name === q);
  const type = (text: string) => {
    setTyped(text);
    onChange(found.find((site) => site.name === text)?.id);
  };
  const match = found.find((site) => site.name === q)?.id;
  if (typed !== null && match) onChange(match);
  return (
    <div>
      <label for={id} class="font-semibold">
        {t('log.site')} <span class="muted font-normal">{t('form.optional')}</span>
      </label>
      <p id={`${id}-hint`} class="muted small" role="status">
        {unknown ? t('log.unknownSite') : t('log.siteHint')}
      </p>
      <input
        id={id}
        class="input mt-1"
        list={`${id}-sites`}
        value={typed ?? (chosen ? (name ?? '') : '')}
        autoComplete="off"
        maxLength={64}
        aria-describedby={`${id}-hint`}
        onInput={(event) => type(event.currentTarget.value)}
      />
      <datalist id={`${id}-sites`}>
        {found.map((site) => (
          <option key={site.id} value={site.name} />
        ))}
      </datalist>
    </div>
  );
}
