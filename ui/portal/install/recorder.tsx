import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { AskRecorder, RecorderView } from '../../../protocol/wire/initialise.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import type { ApiError } from '../../components/http.ts';
import { lookup, t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { LoginFields } from '../site/login-fields.tsx';
import { entered, recorderPage } from './found.ts';
import { SortChannels } from './sort-channels.tsx';

type Ask = AskRecorder['ask'];
type Camera = RecorderView['seen'][number];

/** Cameras of a recorder: added by itself or by choice, put in order; then on to adding the devices (CHAN-09…11). */
export function RecorderPage() {
  const { siteId } = useSite();
  const { query } = useLocation();
  const { mac = '', box = '', rest } = query;
  // The next recorder is a new page: nothing of the last one may be seen.
  return <Recorder key={`${siteId} ${mac}`} mac={mac} box={box} rest={rest ? rest.split(',') : []} />;
}

function Recorder({ mac, box, rest }: { mac: string; box: string; rest: string[] }) {
  const { base, site, siteId } = useSite();
  const [view, setView] = useState<RecorderView | null>(null);
  const [added, setAdded] = useState<NonNullable<RecorderView['added']>>([]);
  const ask = async (what: Ask) => {
    const body: AskRecorder = { boxSerial: box, mac, ...entered.get(mac), ask: what };
    const answer = await api.post('/sites/{siteId}/lan/recorder', body, { params: { siteId } });
    setView(answer);
    return answer;
  };
  const read = useAction(async () => void (await ask({ do: 'read' })));
  const add = useAction(async (cameras: readonly Camera[], password?: string) => {
    const wanted = cameras.map(({ address, port, protocol, device }) => ({
      address,
      port,
      protocol,
      ...(device && { mac: device.mac }),
      ...(password !== undefined && { password }),
    }));
    const { added: results } = await ask({ do: 'add', cameras: wanted });
    const fresh = new Set(results?.map((one) => one.address));
    setAdded((old) => [...old.filter((one) => !fresh.has(one.address)), ...(results ?? [])]);
  });
  const change = useAction(async (channel: number, password: string | null) => {
    const { added: results } = await ask(
      password === null ? { do: 'remove', channel } : { do: 'edit', channel, password },
    );
    setAdded((old) => [...old.filter((one) => one.channel !== channel), ...(results ?? [])]);
  });
  useEffect(() => {
    read.run();
  }, []);
  // No password is kept, or the kept one is refused: asked for once more, by the person.
  const asksLogin = !view && ['invalid-request', 'device-refused-login'].includes(read.error?.code ?? '');
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('recorder.title')}</Title>
      {view && <p class="text-lg">{view.name}</p>}
      {!view && read.busy && (
        <>
          <p role="status">{t('recorder.reading')}</p>
          <Skeleton lines={4} />
        </>
      )}
      {!asksLogin && <ProblemPanel error={read.error} what={t('recorder.failed')} retry={() => read.run()} />}
      {asksLogin && <Login error={read.error} mac={mac} done={() => read.run()} busy={read.busy} />}
      {view?.poe && (
        <p>
          <State level="info">{t('recorder.poe')}</State>
        </p>
      )}
      {view && !view.poe && (
        <>
          <ProblemPanel error={add.error} what={t('recorder.failed')} focus />
          <ProblemPanel error={change.error} what={t('recorder.failed')} focus />
          <Added
            results={added}
            view={view}
            add={(cameras, password) => add.run(cameras, password)}
            change={(channel, password) => change.run(channel, password)}
            busy={add.busy || change.busy}
          />
          <Seen
            view={view}
            add={(cameras) => add.run(cameras)}
            busy={add.busy}
            look={() => read.run()}
            looking={read.busy}
          />
        </>
      )}
      {view && (
        <Panel title={t('recorder.channels')}>
          {view.channels.length === 0 ? (
            <Empty title={t('recorder.noChannels')} />
          ) : (
            <SortChannels
              channels={view.channels}
              sortable={view.sortable}
              opened={added.some((one) => one.ok)}
              save={async (order, passwords) => void (await ask({ do: 'sort', order, passwords }))}
            />
          )}
        </Panel>
      )}
      <p class="flex flex-wrap gap-4">
        {rest.length > 0 ? (
          <a class="btn btn-primary" href={recorderPage(base, box, rest)}>
            {t('recorder.nextRecorder')}
          </a>
        ) : (
          <a class="btn btn-primary" href={`${base}/add-found`}>
            {t('recorder.toAdding')}
          </a>
        )}
      </p>
    </>
  );
}

function Login({ error, mac, done, busy }: { error: ApiError | null; mac: string; done: () => void; busy: boolean }) {
  return (
    <div class="panel flex max-w-2xl flex-col gap-4">
      {error?.code === 'device-refused-login' && <ProblemPanel error={error} what={t('recorder.failed')} focus />}
      <Form
        label={t('recorder.login')}
        onSubmit={(fields) => {
          entered.set(mac, { username: fields.username ?? 'admin', password: fields.password ?? '' });
          done();
        }}
      >
        <h2>{t('recorder.login')}</h2>
        <LoginFields username="admin" passwordHint={t('recorder.loginText')} error={null} />
        <Submit busy={busy} doing={t('recorder.reading')}>
          {t('recorder.submitLogin')}
        </Submit>
      </Form>
    </div>
  );
}

/** The cameras that it finds: all of them at once, or some. */
function Seen({
  view,
  add,
  busy,
  look,
  looking,
}: {
  view: RecorderView;
  add: (cameras: readonly Camera[]) => void;
  busy: boolean;
  look: () => void;
  looking: boolean;
}) {
  const [manual, setManual] = useState(false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (address: string) => {
    const now = new Set(chosen);
    if (!now.delete(address)) now.add(address);
    setChosen(now);
  };
  const { seen } = view;
  if (seen.length === 0)
    return (
      <Empty title={t('recorder.seenNone')}>
        <p>{t('recorder.seenNext')}</p>
        <button type="button" class="btn mt-2" aria-disabled={looking} onClick={look}>
          {t(looking ? 'recorder.reading' : 'recorder.look')}
        </button>
      </Empty>
    );
  return (
    <Panel title={t('recorder.seen', { count: seen.length })}>
      <p class="flex flex-wrap gap-4">
        <button type="button" class="btn btn-primary" aria-disabled={busy} onClick={() => !busy && add(seen)}>
          {t(busy ? 'recorder.adding' : 'recorder.auto')}
        </button>
        <button type="button" class="btn" aria-expanded={manual} onClick={() => setManual(!manual)}>
          {t('recorder.manual')}
        </button>
      </p>
      <ul class="mt-3 flex flex-col divide-y divide-base-300">
        {seen.map((camera) => {
          const words = (
            <span class="min-w-0">
              {camera.device?.model ?? camera.model ?? t('state.unknown')}{' '}
              <span class="mono muted small">{camera.address}</span>
            </span>
          );
          return (
            <li key={camera.address} class="py-1">
              {manual ? (
                <label class="flex min-h-11 items-center gap-3">
                  <input
                    type="checkbox"
                    class="checkbox shrink-0"
                    checked={chosen.has(camera.address)}
                    onChange={() => toggle(camera.address)}
                  />
                  {words}
                </label>
              ) : (
                words
              )}
            </li>
          );
        })}
      </ul>
      {manual && (
        <button
          type="button"
          class="btn mt-3"
          aria-disabled={busy || chosen.size === 0}
          onClick={() => chosen.size > 0 && add(seen.filter((camera) => chosen.has(camera.address)))}
        >
          {t('recorder.addChosen')}
        </button>
      )}
    </Panel>
  );
}

/** What became of each camera; one without a kept password gets a field for it. */
function Added({
  results,
  view,
  add,
  change,
  busy,
}: {
  results: NonNullable<RecorderView['added']>;
  view: RecorderView;
  add: (cameras: readonly Camera[], password: string) => void;
  /** Another password for the camera of a channel; null: the channel is removed. */
  change: (channel: number, password: string | null) => void;
  busy: boolean;
}) {
  if (results.length === 0) return null;
  return (
    <div role="status">
      <ul class="flex flex-col gap-3">
        {results.map((one) => {
          const camera = view.seen.find((each) => each.address === one.address);
          // It is there, and its camera refused the password.
          const channel = one.ok ? null : (one.channel ?? null);
          const words = one.ok || channel !== null ? 'recorder.added' : 'recorder.notAdded';
          return (
            <li key={one.address}>
              <State level={one.ok ? 'well' : 'problem'}>
                <span class="mono">{one.address}</span> {t(words)}
                {channel !== null && <span class="block">{t('recorder.refused')}</span>}
                {!one.ok && one.code && lookup(`problem.${one.code}.title`) && (
                  <span class="block">{lookup(`problem.${one.code}.title`)}</span>
                )}
                {one.text && <span class="muted small block">{say(one.text)}</span>}
              </State>
              {channel !== null && (
                <Form
                  label={t('recorder.password', { address: one.address })}
                  onSubmit={(fields) => !busy && change(channel, fields.password ?? '')}
                >
                  <Field
                    label={t('recorder.password', { address: one.address })}
                    hint={t('recorder.refusedHint')}
                    name="password"
                    type="password"
                    required
                    maxLength={128}
                    autoComplete="off"
                  />
                  <div class="flex flex-wrap gap-4">
                    <Submit busy={busy} doing={t('recorder.correcting')}>
                      {t('recorder.correct')}
                    </Submit>
                    <button
                      type="button"
                      class="btn"
                      aria-disabled={busy}
                      onClick={() => !busy && change(channel, null)}
                    >
                      {t('recorder.remove')}
                      <span class="sr-only">: {one.address}</span>
                    </button>
                  </div>
                </Form>
              )}
              {!one.ok && channel === null && camera && (
                <Form
                  label={t('recorder.password', { address: one.address })}
                  onSubmit={(fields) => add([camera], fields.password ?? '')}
                >
                  <Field
                    label={t('recorder.password', { address: one.address })}
                    hint={t('recorder.passwordHint')}
                    name="password"
                    type="password"
                    required
                    maxLength={128}
                    autoComplete="off"
                  />
                  <Submit busy={busy} doing={t('recorder.adding')}>
                    {t('recorder.addAgain')}
                  </Submit>
                </Form>
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
