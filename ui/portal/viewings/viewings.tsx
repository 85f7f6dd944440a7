import { useLocation } from 'preact-iso';
import type { Viewing } from '../../../protocol/wire/video.ts';
import { Choice, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { between, formatDuration } from '../../components/time.ts';
import { Time } from '../../components/time.tsx';
import { useAgain } from '../customer/use-again.ts';
import { DayField, filtersOf, logQuery } from '../log/filters.tsx';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { More } from '../site/more.tsx';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Who looked at which pictures of the site, when and by which way: of the last 90 days. */
export function Viewings() {
  const { site, siteId, devices } = useSite();
  const { path, query, route } = useLocation();
  const { from, to } = filtersOf({ from: query.from ?? '', to: query.to ?? '' });
  const deviceId = UUID.test(query.deviceId ?? '') ? query.deviceId : undefined;
  const days = logQuery({ from, to });
  const asked = { deviceId, from: days.from, to: days.to };
  const paged = api.paged('/sites/{siteId}/viewings', { params: { siteId }, query: asked });
  const list = useResource((signal) => paged.page(null, signal), [paged.address]);
  useAgain(() => {
    // Not below what was read on.
    if ((list.data?.items.length ?? 0) <= 100) list.reload();
  });
  const items = list.data?.items ?? [];
  const filtered = Boolean(deviceId || from || to);
  const send = (fields: Record<string, string>) => {
    const days = filtersOf({ from: fields.from ?? '', to: fields.to ?? '' });
    const search = new URLSearchParams({ ...days, ...(fields.deviceId && { deviceId: fields.deviceId }) });
    route(search.size > 0 ? `${path}?${search}` : path);
  };
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('viewings.title')}</Title>
      <p class="muted max-w-prose">{t('viewings.intro')}</p>
      <details class="panel" open={filtered || matchMedia('(min-width: 46rem)').matches}>
        <summary class="mb-2 cursor-pointer font-semibold">{t('viewings.filter')}</summary>
        <Form label={t('viewings.filter')} onSubmit={send}>
          <div class="grid gap-4 md:grid-cols-3">
            <Choice
              label={t('viewings.device')}
              name="deviceId"
              value={deviceId ?? ''}
              options={[
                ['', t('viewings.everyDevice')],
                ...(devices.data?.items ?? []).map((device) => [device.id, device.name] as const),
              ]}
            />
            <DayField label={t('viewings.from')} name="from" value={from} />
            <DayField label={t('viewings.to')} name="to" value={to} />
          </div>
          <div class="flex flex-wrap items-center gap-4">
            <Submit busy={list.loading && list.data !== undefined} doing={t('state.loading')}>
              {t('viewings.show')}
            </Submit>
            {filtered && (
              <a class="link" href={path}>
                {t('viewings.all')}
              </a>
            )}
          </div>
        </Form>
      </details>
      <ProblemPanel error={list.error} what={t('viewings.failed')} retry={list.reload} />
      {!list.data && !list.error && <Skeleton lines={8} />}
      {list.data && items.length === 0 && (
        <Empty title={t(filtered ? 'viewings.noneHere' : 'viewings.none')}>{!filtered && t('viewings.noneNext')}</Empty>
      )}
      {items.length > 0 && (
        <div class="panel py-1 md:py-2">
          <table class="rows">
            <caption class="sr-only">{t('viewings.title')}</caption>
            <thead>
              <tr>
                {(['when', 'who', 'device', 'what', 'path'] as const).map((column) => (
                  <th key={column} scope="col">
                    {t(`viewings.${column}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {folded(items).map((looks) => (
                <Row key={looks[0]!.id} looks={looks} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More list={list} paged={paged} failed={t('viewings.failed')} />
    </>
  );
}

/** Looks of one person at one channel that follow one another within this time are one line. */
const APART_MS = 10 * 60_000;
const TOGETHER = (kind: Viewing['kind']) => (kind === 'snapshot' ? 'live' : kind);

/** Newest first, as they come; a single picture goes with the live view that it stood for. */
function folded(items: readonly Viewing[]): Viewing[][] {
  const lines: Viewing[][] = [];
  const open = new Map<string, Viewing[]>();
  for (const item of items) {
    const { user, deviceId, channel, kind } = item;
    const key = [user.id ?? user.name, user.company, deviceId, channel, TOGETHER(kind)].join('\n');
    const line = open.get(key);
    if (line && between(item.endedAt ?? item.startedAt, line.at(-1)!.startedAt) <= APART_MS) line.push(item);
    else {
      const begun = [item];
      open.set(key, begun);
      lines.push(begun);
    }
  }
  return lines;
}

function Row({ looks }: { looks: Viewing[] }) {
  const [newest, oldest] = [looks[0]!, looks.at(-1)!];
  const { user, deviceName, channel } = newest;
  // What somebody watched says more than the picture that stood there before.
  const { kind, path } = looks.find((look) => look.kind !== 'snapshot') ?? newest;
  const { startedAt } = oldest;
  const endedAt = looks.some((look) => look.endedAt === null) ? null : newest.endedAt;
  const shown = looks.flatMap((look) => (look.from ? [look.from] : []));
  const from = shown.toSorted()[0] ?? null;
  const to =
    looks
      .flatMap((look) => (look.to ? [look.to] : []))
      .toSorted()
      .at(-1) ?? null;
  return (
    <tr>
      <td data-label={t('viewings.when')}>
        <Time at={startedAt} />
        <br />
        {endedAt === null ? (
          <State level="working">{t('viewings.now')}</State>
        ) : (
          <span class="muted">{formatDuration(Math.max(1000, between(startedAt, endedAt)))}</span>
        )}
      </td>
      <td data-label={t('viewings.who')}>
        {user.name || t('viewings.nobody')}
        {user.company && <span class="muted small block">{user.company}</span>}
      </td>
      <td data-label={t('viewings.device')}>
        {deviceName}
        <span class="muted small block">{t('viewings.channel', { channel })}</span>
      </td>
      <td data-label={t('viewings.what')}>
        {t(`viewings.kind.${kind}`)}
        {looks.length > 1 && <span class="muted small"> × {looks.length}</span>}
        {from && (
          <span class="muted small block">
            <Time at={from} />
            {to && (
              <>
                {' – '}
                <Time at={to} />
              </>
            )}
          </span>
        )}
      </td>
      <td data-label={t('viewings.path')} class={path ? undefined : 'bare'}>
        {path && t(`viewings.by.${path}`)}
      </td>
    </tr>
  );
}
