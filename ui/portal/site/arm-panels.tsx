import { useState } from 'preact/hooks';
import type { Device } from '../../../protocol/wire/api.ts';
import type { ArmDevices, ArmedDevice } from '../../../protocol/wire/panels.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Panel } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { api } from '../session.ts';
import { useSite } from './context.ts';

const WAYS: ArmDevices['arm'][] = ['away', 'stay', 'disarm'];

/** Arms or disarms several panels at once, each with its own result (PANL-09). */
export function ArmPanels({ panels }: { panels: Device[] }) {
  const { siteId } = useSite();
  const [left, setLeft] = useState<readonly string[]>([]);
  const [results, setResults] = useState<ArmedDevice[]>([]);
  const chosen = panels.filter(({ id }) => !left.includes(id)).map(({ id }) => id);
  const arm = useAction(async (way: ArmDevices['arm']) => {
    setResults([]);
    const done = await api.post('/sites/{siteId}/arming', { devices: chosen, arm: way }, { params: { siteId } });
    setResults(done.items);
  });
  return (
    <Panel title={t('arming.title')}>
      <ProblemPanel error={arm.error} what={t('arming.failed')} focus />
      <ul class="flex flex-col">
        {panels.map(({ id, name }) => {
          const result = results.find((r) => r.deviceId === id);
          return (
            <li key={id}>
              <label class="flex min-h-11 items-center gap-2">
                <input
                  type="checkbox"
                  class="checkbox checkbox-sm"
                  checked={!left.includes(id)}
                  onChange={(event) =>
                    setLeft(event.currentTarget.checked ? left.filter((other) => other !== id) : [...left, id])
                  }
                />
                {name}
              </label>
              {result && (
                <State level={result.done ? 'well' : 'problem'}>
                  {result.text ? say(result.text) : t(result.done ? 'arming.done' : 'arming.notDone')}
                </State>
              )}
            </li>
          );
        })}
      </ul>
      <p role="status" class="sr-only">
        {results.length > 0 && t('arming.result', { done: results.filter((r) => r.done).length, of: results.length })}
      </p>
      <div class="mt-2 flex flex-wrap gap-2">
        {WAYS.map((way) => (
          <button
            key={way}
            type="button"
            class="btn"
            aria-disabled={arm.busy || chosen.length === 0}
            onClick={() => chosen.length > 0 && arm.run(way)}
          >
            {t(`arming.${way}`)}
          </button>
        ))}
      </div>
    </Panel>
  );
}
