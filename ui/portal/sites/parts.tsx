import { useEffect, useState } from 'preact/hooks';
import type { Page, Site } from '../../../protocol/wire/api.ts';
import type { BatchResult, SiteGroup } from '../../../protocol/wire/sites.ts';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import type { Resource, useAction } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { Tabs } from '../../components/tabs.tsx';
import { between, formatDuration } from '../../components/time.ts';
import { Time } from '../../components/time.tsx';

/** Typing pauses that long before it is searched. */
const PAUSE_MS = 250;

/** The word to search for; it stands in the address. */
export function SearchField({
  value,
  label,
  onSearch,
}: {
  value: string;
  label: string;
  onSearch: (text: string) => void;
}) {
  const [text, setText] = useState(value);
  useEffect(() => {
    if (text.trim() === value) return;
    const timer = setTimeout(() => onSearch(text.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label class="block">
      <span class="font-semibold">{label}</span>
      <input
        type="search"
        class="input mt-1"
        value={text}
        maxLength={100}
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </label>
  );
}

/** Where one sees sites as a list, on the map, their groups, or all devices. */
export function Modes({ current }: { current: 'list' | 'map' | 'groups' | 'devices' }) {
  const modes = [
    ['list', '/sites'],
    ['devices', '/sites/devices'],
    ['map', '/sites/map'],
    ['groups', '/sites/groups'],
  ] as const;
  return (
    <Tabs
      label={t('sites.modes')}
      tabs={modes.map(([mode, href]) => ({
        key: mode,
        href,
        current: mode === current,
        text: t(`sites.mode.${mode}`),
      }))}
    />
  );
}

/** Until when somebody manages a site, and how long that is. */
export function Validity({ until }: { until: string | null }) {
  if (until === null) return <>{t('sites.lifetime')}</>;
  return (
    <>
      {t('sites.until')} <Time at={until} />{' '}
      <span class="muted">
        ({t('sites.left', { duration: formatDuration(Math.max(1000, between(new Date().toISOString(), until))) })})
      </span>
    </>
  );
}

export function SiteStatusText({ site }: { site: Pick<Site, 'status' | 'ownerName' | 'own' | 'companyName'> }) {
  return (
    <>
      {t(`siteStatus.${site.status}`)}
      {site.ownerName && (
        <>
          <br />
          <span class="muted small">{site.ownerName}</span>
        </>
      )}
      {!site.own && (
        <>
          <br />
          <span class="muted small">{t('sites.ofCompany', { company: site.companyName })}</span>
        </>
      )}
    </>
  );
}

/** Below a list: reads on. */
export function MoreButton<T>({
  list,
  more,
  failed,
}: {
  list: Resource<Page<T>>;
  more: ReturnType<typeof useAction<[]>>;
  failed: string;
}) {
  return (
    <>
      <ProblemPanel error={more.error} what={failed} />
      {list.data?.nextCursor && (
        <div>
          <button type="button" class="btn" onClick={() => more.run()} aria-disabled={more.busy}>
            {more.busy ? t('state.loading') : t('sites.loadMore')}
          </button>
        </div>
      )}
    </>
  );
}

/** What a batch did, and each site that refused with the reason. */
export function BatchOutcome({ result, names }: { result: BatchResult | null; names: Map<string, string> }) {
  return (
    <div role="status" class="empty:hidden">
      {result && (
        <>
          {result.done.length > 0 && <State level="well">{t('sites.batchDone', { count: result.done.length })}</State>}
          <ul>
            {result.failed.map((one) => (
              <li key={one.siteId}>
                <State level="problem">
                  {names.get(one.siteId) ?? one.siteId}: {say(one.detail)}
                </State>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

/** A group there is, a new one, or none. */
export function GroupChoice({ groups, value = '' }: { groups: SiteGroup[]; value?: string }) {
  const [chosen, choose] = useState(value);
  return (
    <>
      <Choice
        label={t('sites.group')}
        name="group"
        value={chosen}
        onChange={choose}
        options={[
          ['', t('sites.noGroup')],
          ...groups.map((group) => [group.id, group.name] as const),
          ['new', t('sites.newGroup')],
        ]}
      />
      {chosen === 'new' && (
        <label class="block">
          <span class="font-semibold">{t('sites.groupName')}</span>
          <input class="input mt-1" name="groupName" required maxLength={64} autoComplete="off" />
        </label>
      )}
    </>
  );
}
export const chosenGroup = (fields: Record<string, string>) =>
  fields.group === 'new' ? { name: fields.groupName! } : fields.group ? { id: fields.group } : null;
