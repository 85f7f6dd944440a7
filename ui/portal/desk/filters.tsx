import { useId } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { DeskFilter } from '../../../protocol/wire/arc-desk.ts';
import type { QueryOf } from '../../client/client.ts';
import { Choice, Field, Form } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Tabs } from '../../components/tabs.tsx';

const SHOWS = ['open', 'all', 'tests'] as const;
const URGENCIES = ['0', '1', '2', '3'] as const;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** What is looked for, as it stands in the address; days are the viewer's. */
export interface Filters {
  show: DeskFilter['show'];
  urgency?: number;
  account?: string;
  siteId?: string;
  from?: string;
  to?: string;
}

/** Of an address only what can be looked for. */
export function filtersOf(query: Record<string, string>): Filters {
  const { urgency = '', account = '', siteId = '', from = '', to = '' } = query;
  const show = SHOWS.find((one) => one === query.show) ?? 'open';
  const number = account.trim().toUpperCase();
  return {
    show,
    ...(URGENCIES.some((one) => one === urgency) ? { urgency: Number(urgency) } : {}),
    ...(/^[0-9A-F]{1,16}$/.test(number) ? { account: number } : {}),
    ...(UUID.test(siteId) ? { siteId } : {}),
    ...(show !== 'open' && DAY.test(from) ? { from } : {}),
    ...(show !== 'open' && DAY.test(to) ? { to } : {}),
  };
}

export const addressOf = ({ show, ...rest }: Filters): string => {
  const entries = Object.entries({ show: show === 'open' ? undefined : show, ...rest });
  const search = new URLSearchParams(entries.flatMap(([k, v]) => (v === undefined ? [] : [[k, String(v)]])));
  return search.size > 0 ? `?${search}` : '';
};

/** As the relay takes it: from the first moment of a day to the last of another. */
export function deskQuery({ from, to, ...rest }: Filters): QueryOf<'/arc-desk/alarms'> {
  const begin = (day: string, later: number) => {
    const [year, month, date] = day.split('-').map(Number) as [number, number, number];
    return new Date(year, month - 1, date + later).toISOString();
  };
  return { ...rest, ...(from ? { from: begin(from, 0) } : {}), ...(to ? { to: begin(to, 1) } : {}) };
}

/** What is shown, and what of it; the address keeps it. */
export function DeskFilters({ filters, siteName }: { filters: Filters; siteName: string | undefined }) {
  const { path, route } = useLocation();
  const { show, urgency, account, siteId, from, to } = filters;
  const narrowed = [urgency, account, siteId, from, to].some((one) => one !== undefined);
  const send = (fields: Record<string, string>) =>
    route(`${path}${addressOf(filtersOf({ show, siteId: siteId ?? '', ...fields }))}`);
  return (
    <>
      <Tabs
        label={t('desk.show')}
        tabs={SHOWS.map((one) => ({
          key: one,
          href: `${path}${addressOf({ ...filters, show: one })}`,
          current: one === show,
          text: t(`desk.shows.${one}`),
        }))}
      />
      <details class="panel py-3 md:py-3" open={narrowed}>
        <summary class="cursor-pointer font-semibold">{t('desk.filters')}</summary>
        <div class="mt-3" key={addressOf(filters)}>
          <Form onSubmit={send} label={t('desk.filters')}>
            <div class="grid gap-4 md:grid-cols-4">
              <Choice
                label={t('desk.urgency')}
                name="urgency"
                value={urgency === undefined ? '' : String(urgency)}
                options={[
                  ['', t('desk.anyUrgency')],
                  ...URGENCIES.map((one) => [one, t(`desk.urgencies.${one}`)] as const),
                ]}
              />
              <Field label={t('desk.account')} name="account" mono maxLength={16} value={account ?? ''} />
              {show !== 'open' && <Day label={t('desk.from')} name="from" value={from} />}
              {show !== 'open' && <Day label={t('desk.to')} name="to" value={to} />}
            </div>
            {siteId && <p>{t('desk.ofSite', { name: siteName ?? '…' })}</p>}
            <div class="flex flex-wrap items-center gap-4">
              <button type="submit" class="btn">
                {t('desk.filter')}
              </button>
              {narrowed && (
                <a class="link" href={`${path}${addressOf({ show })}`}>
                  {t('desk.noFilter')}
                </a>
              )}
            </div>
          </Form>
        </div>
      </details>
    </>
  );
}

function Day({ label, name, value }: { label: string; name: string; value: string | undefined }) {
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
