import { useEffect, useState } from 'preact/hooks';
import type { BandwidthTest, ChannelChoice } from '../../../protocol/wire/bandwidth.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Facts, Panel, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { mayManage } from '../site/rights.ts';
import { failureText, formatDefinition, formatRate, room } from './words.ts';

const ASK_EVERY_MS = 1_000;
const OLDER = 5;

/** The last tests of the site, newest first. */
export function useBandwidthTests() {
  const { siteId } = useSite();
  return useResource((signal) => api.get('/sites/{siteId}/bandwidth-tests', { params: { siteId }, signal }), [siteId]);
}

/** Tests the uplink of a box; for one device behind it, if there is one. What runs is found again after a reload. */
export function TestPanel({ serial, deviceId }: { serial: string; deviceId: string | undefined }) {
  const { site, siteId, devices } = useSite();
  const tests = useBandwidthTests();
  const ofBox = tests.data?.items.filter((test) => test.boxSerial === serial) ?? [];
  const running = ofBox.find((test) => test.state === 'running');
  const [latest, ...older] = ofBox.filter((test) => test.state !== 'running');
  const device = devices.data?.items.find((item) => item.id === deviceId);
  const put = (test: BandwidthTest) =>
    tests.set(({ items }) => ({ items: [test, ...items.filter((item) => item.id !== test.id)] }));
  const start = useAction(async () => {
    const wanted = deviceId ? { deviceId } : { boxSerial: serial };
    put(await api.post('/sites/{siteId}/bandwidth-tests', wanted, { params: { siteId } }));
  });
  useEffect(() => {
    if (!running) return;
    const abort = new AbortController();
    const timer = setInterval(() => {
      const params = { siteId, testId: running.id };
      // A look that fails is followed by another one.
      api.get('/sites/{siteId}/bandwidth-tests/{testId}', { params, signal: abort.signal }).then(
        (test) => test.state !== 'running' && put(test),
        () => {},
      );
    }, ASK_EVERY_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [running?.id]);
  const may = deviceId ? site.data!.permissions.includes('configure') : mayManage(site.data!);
  return (
    <Panel title={t('bandwidth.title')}>
      <p class="muted mb-4 max-w-prose">
        {device ? t('bandwidth.introDevice', { name: device.name }) : t('bandwidth.intro')}
      </p>
      <ProblemPanel error={tests.error} what={t('bandwidth.failed')} retry={tests.reload} />
      <ProblemPanel error={start.error} what={t('bandwidth.startFailed')} />
      {!tests.data && !tests.error && <Skeleton />}
      <div aria-live="polite">
        {running && <Progress test={running} />}
        {!running && latest && <Result test={latest} />}
        {tests.data && !running && !latest && <Empty title={t('bandwidth.none')}>{t('bandwidth.noneNext')}</Empty>}
      </div>
      {may && tests.data && (
        <button
          type="button"
          class="btn btn-primary mt-4"
          onClick={() => start.run()}
          aria-disabled={start.busy || !!running}
        >
          {running ? t('bandwidth.running') : t(latest ? 'bandwidth.again' : 'bandwidth.start')}
        </button>
      )}
      {older.length > 0 && (
        <details class="mt-4">
          <summary class="link">{t('bandwidth.older')}</summary>
          <ul class="mt-2 flex flex-col divide-y divide-base-300">
            {older.slice(0, OLDER).map((test) => (
              <li key={test.id} class="flex flex-wrap justify-between gap-x-6 py-2">
                <span>{test.kbps === null ? failureText(test) : formatRate(test.kbps)}</span>
                <span class="muted small">
                  <Time at={test.startedAt} />
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </Panel>
  );
}

function Progress({ test }: { test: BandwidthTest }) {
  const passed = () => Math.max(0, Date.now() - Date.parse(test.startedAt));
  const [ms, setMs] = useState(passed);
  useEffect(() => {
    const timer = setInterval(() => setMs(passed()), 250);
    return () => clearInterval(timer);
  }, [test.id]);
  return (
    <label class="block">
      <State level="working">{t('bandwidth.measuring')}</State>
      <progress class="mt-2 block h-3 w-full max-w-md" max={test.expectedMs} value={Math.min(ms, test.expectedMs)} />
    </label>
  );
}

function Result({ test }: { test: BandwidthTest }) {
  const { kbps, recommended } = test;
  if (kbps === null)
    return (
      <State level="problem">
        {failureText(test)}{' '}
        <span class="muted small">
          <Time at={test.startedAt} />
        </span>
      </State>
    );
  /** The uplink would take more than there are. */
  const isAll = (choice: ChannelChoice) =>
    choice.channels !== recommended?.maxChannels && room(kbps, choice.kbps) > choice.channels;
  return (
    <div class="flex flex-col gap-4">
      <Facts
        items={[
          [t('bandwidth.uplink'), <strong key="rate">{formatRate(kbps)}</strong>],
          [
            t('bandwidth.recommended'),
            recommended ? (
              <strong key="channels">
                {t('bandwidth.channels', { count: recommended.channels })}, {formatDefinition(recommended.definition)}
              </strong>
            ) : (
              <State key="none" level="problem">
                {failureText(test)}
              </State>
            ),
          ],
          [t('bandwidth.testedAt'), <Time key="at" at={test.startedAt} full />],
        ]}
      />
      {test.yielded && <State level="info">{t('bandwidth.yielded')}</State>}
      {recommended?.maxChannels !== null && recommended?.maxChannels !== undefined && (
        <p class="small">{t('bandwidth.modelLimit', { count: recommended.maxChannels })}</p>
      )}
      {recommended && <p class="muted small">{t('bandwidth.choicesText')}</p>}
      {recommended && (
        <table class="rows max-w-md">
          <thead>
            <tr>
              <th>{t('bandwidth.definition')}</th>
              <th>{t('bandwidth.perChannel')}</th>
              <th>{t('bandwidth.channelCount')}</th>
            </tr>
          </thead>
          <tbody>
            {recommended.choices.map((choice) => (
              <tr key={choice.definition}>
                <td data-label={t('bandwidth.definition')}>{formatDefinition(choice.definition)}</td>
                <td data-label={t('bandwidth.perChannel')}>{formatRate(choice.kbps)}</td>
                <td data-label={t('bandwidth.channelCount')}>
                  {isAll(choice)
                    ? t('bandwidth.allChannels', { n: choice.channels })
                    : choice.channels || t('bandwidth.noChannel')}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {recommended?.choices.some(isAll) && <p class="muted small">{t('bandwidth.allText')}</p>}
    </div>
  );
}
