import { useState } from 'preact/hooks';
import type { NoticeCategory, NotifySettings } from '../../../protocol/wire/notify.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { asApiError, useAction, useResource } from '../../components/resource.ts';
import { viewerZone } from '../../components/time.ts';
import { Time } from '../../components/time.tsx';
import { api, me } from '../session.ts';
import { subscribe, subscribedHere, support, unsubscribe } from './push.ts';

const CATEGORIES: readonly NoticeCategory[] = ['business', 'arc', 'site'];
const CHANNELS = ['email', 'push'] as const;

/** On which ways the person is told: by category, at which hours, on which devices. */
export function MessageSettings() {
  const settings = useResource((signal) => api.get('/notifications/settings', { signal }), []);
  return (
    <>
      <Title>{t('messages.settings.title')}</Title>
      <ProblemPanel error={settings.error} what={t('messages.settings.failed')} retry={settings.reload} />
      {!settings.data && !settings.error && <Skeleton lines={6} />}
      {settings.data && <Ways settings={settings.data} />}
      <Devices />
      <Test />
      <p>
        <a class="link" href="/messages">
          {t('messages.settings.back')}
        </a>
      </p>
    </>
  );
}

function Ways({ settings }: { settings: NotifySettings }) {
  const [quiet, setQuiet] = useState(settings.quiet !== null);
  const [saved, setSaved] = useState(false);
  const save = useAction(async (fields: Record<string, string>) => {
    setSaved(false);
    const chosen = (channel: string) => ({
      business: `${channel}.business` in fields,
      arc: `${channel}.arc` in fields,
      site: `${channel}.site` in fields,
    });
    const timeZone = settings.quiet?.timeZone ?? viewerZone();
    await api.put('/notifications/settings', {
      email: chosen('email'),
      push: chosen('push'),
      quiet: quiet ? { from: fields.from!, until: fields.until!, timeZone } : null,
    });
    setSaved(true);
  });
  return (
    <Panel title={t('messages.settings.ways')} id="ways">
      <Form onSubmit={save.run} label={t('messages.settings.ways')}>
        <p class="muted">{t('messages.settings.always')}</p>
        <div class="overflow-x-auto">
          <table class="text-left">
            <thead>
              <tr>
                <th class="py-2 pr-4 whitespace-nowrap md:pr-6">{t('messages.settings.about')}</th>
                {CHANNELS.map((channel) => (
                  <th key={channel} class="py-2 pr-4 whitespace-nowrap md:pr-6">
                    {t(`messages.channel.${channel}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {CATEGORIES.map((category) => (
                <tr key={category} class="border-t border-base-300">
                  <th scope="row" class="py-3 pr-4 font-normal md:pr-6">
                    {t(`messages.category.${category}`)}
                    <span class="muted small block max-w-prose">{t(`messages.about.${category}`)}</span>
                  </th>
                  {CHANNELS.map((channel) => (
                    <td key={channel} class="py-3 pr-4 md:pr-6">
                      <input
                        type="checkbox"
                        class="checkbox"
                        name={`${channel}.${category}`}
                        defaultChecked={settings[channel][category]}
                        aria-label={`${t(`messages.category.${category}`)}: ${t(`messages.channel.${channel}`)}`}
                      />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <label class="flex items-center gap-2">
          <input
            type="checkbox"
            class="checkbox"
            checked={quiet}
            onChange={(event) => setQuiet(event.currentTarget.checked)}
          />
          {t('messages.settings.quiet')}
        </label>
        {quiet && (
          <div class="flex flex-wrap gap-4">
            {(['from', 'until'] as const).map((name) => (
              <Field
                key={name}
                label={t(`messages.settings.${name}`)}
                name={name}
                hint={
                  name === 'from'
                    ? t('messages.settings.zone', { zone: settings.quiet?.timeZone ?? viewerZone() })
                    : undefined
                }
                value={settings.quiet?.[name] ?? (name === 'from' ? '22:00' : '07:00')}
                required
                pattern="([01][0-9]|2[0-3]):[0-5][0-9]"
                maxLength={5}
                error={save.error}
              />
            ))}
          </div>
        )}
        <ProblemPanel error={save.error} what={t('messages.settings.notSaved')} focus />
        <div class="flex flex-wrap items-center gap-4">
          <Submit busy={save.busy} doing={t('form.saving')}>
            {t('messages.settings.save')}
          </Submit>
          <span role="status">{saved && <State level="well">{t('messages.settings.saved')}</State>}</span>
        </div>
      </Form>
    </Panel>
  );
}

/** Pushes on this device, and on which others. */
function Devices() {
  const userId = me.value!.userId;
  const devices = useResource(async (signal) => {
    const { items } = await api.get('/notifications/push', { signal });
    return { items, here: await subscribedHere(userId) };
  }, []);
  const possible = support();
  const change = useAction(async (on: boolean) => {
    // What a browser refuses is no problem of the relay: its own words are the best there are.
    await (on ? subscribe(userId) : unsubscribe(userId)).catch((error) => {
      throw asApiError(error instanceof DOMException ? `${error.name}: ${error.message}` : error);
    });
    devices.reload();
  });
  const forget = useAction(async (subscriptionId: string) => {
    await api.delete('/notifications/push/{subscriptionId}', { params: { subscriptionId } });
    devices.reload();
  });
  return (
    <Panel title={t('messages.push.title')} id="push">
      <p class="max-w-prose">{t('messages.push.what')}</p>
      {possible !== 'ready' && (
        <p class="mt-2">
          <State level="attention">{t(`messages.push.${possible}`)}</State>
        </p>
      )}
      <ProblemPanel error={devices.error} what={t('messages.push.failed')} retry={devices.reload} />
      <ProblemPanel error={change.error} what={t('messages.push.changeFailed')} />
      <ProblemPanel error={forget.error} what={t('messages.push.changeFailed')} />
      {possible === 'ready' && devices.data && (
        <div class="mt-2 flex flex-wrap items-center gap-4">
          <State level={devices.data.here ? 'well' : 'unknown'}>
            {t(devices.data.here ? 'messages.push.on' : 'messages.push.off')}
          </State>
          <button type="button" class="btn" onClick={() => change.run(!devices.data!.here)} aria-disabled={change.busy}>
            {t(devices.data.here ? 'messages.push.stop' : 'messages.push.start')}
          </button>
        </div>
      )}
      {devices.data && devices.data.items.length > 0 && (
        <>
          <h3 class="mt-4">{t('messages.push.browsers')}</h3>
          <ul class="divide-y divide-base-300">
            {devices.data.items.map((item) => (
              <li key={item.id} class="flex flex-wrap items-center justify-between gap-2 py-2">
                <span>
                  {item.browser || t('messages.push.unknownBrowser')}
                  <span class="muted small block">
                    {t('messages.push.since')} <Time at={item.createdAt} />
                  </span>
                </span>
                <button
                  type="button"
                  class="btn"
                  onClick={() => forget.run(item.id)}
                  aria-label={t('messages.push.forgetWhat', { what: item.browser })}
                >
                  {t('messages.push.forget')}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Panel>
  );
}

function Test() {
  const [sent, setSent] = useState(false);
  const send = useAction(async () => {
    setSent(false);
    await api.post('/notifications/test');
    setSent(true);
  });
  return (
    <Panel title={t('messages.test.title')} id="test">
      <ProblemPanel error={send.error} what={t('messages.test.failed')} />
      <div class="flex flex-wrap items-center gap-4">
        <button type="button" class="btn" onClick={() => send.run()} aria-disabled={send.busy}>
          {t('messages.test.send')}
        </button>
        <span role="status">{sent && <State level="well">{t('messages.test.sent')}</State>}</span>
      </div>
    </Panel>
  );
}
