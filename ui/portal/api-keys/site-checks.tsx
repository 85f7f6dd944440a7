import { useId, useState } from 'preact/hooks';
import { t } from '../../components/i18n.ts';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { api } from '../session.ts';

export interface ChosenSite {
  id: string;
  name: string;
}

/** Chooses sites: those chosen stay, the others are found by their name. */
export function SiteChecks({ chosen, onChange }: { chosen: ChosenSite[]; onChange: (sites: ChosenSite[]) => void }) {
  const id = useId();
  const [q, setQ] = useState('');
  const found = useResource(
    (signal) => api.get('/sites', { query: { limit: 20, ...(q.trim() ? { q: q.trim() } : {}) }, signal }),
    [q.trim()],
  );
  const others = (found.data?.items ?? []).filter((site) => !chosen.some((one) => one.id === site.id));
  const set = ({ id, name }: ChosenSite, on: boolean) =>
    onChange(on ? [...chosen, { id, name }] : chosen.filter((one) => one.id !== id));
  return (
    <div class="flex flex-col gap-2">
      <label for={id} class="font-semibold">
        {t('apiKeys.sitesSearch')}
      </label>
      <input
        id={id}
        type="search"
        class="input"
        autoComplete="off"
        maxLength={64}
        value={q}
        onInput={(event) => setQ(event.currentTarget.value)}
      />
      <ProblemPanel error={found.error} what={t('apiKeys.sitesFailed')} retry={found.reload} />
      <fieldset>
        <legend class="sr-only">{t('apiKeys.sitesChosen')}</legend>
        {[...chosen, ...others].map((site) => (
          <label key={site.id} class="flex min-h-8 items-center gap-2">
            <input
              type="checkbox"
              class="checkbox checkbox-sm"
              checked={chosen.some((one) => one.id === site.id)}
              onChange={(event) => set(site, event.currentTarget.checked)}
            />
            {site.name}
          </label>
        ))}
      </fieldset>
    </div>
  );
}
