import type { RestreamInfo } from '../../protocol/wire/api.ts';
import { t } from '../components/i18n.ts';
import { State } from '../components/icons.tsx';
import { Facts, Panel } from '../components/page.tsx';
import { Copyable } from '../components/serial.tsx';

/** Where players and recorders on this LAN find the cameras' streams, and the login that they need. */
export function Restream({ info }: { info: RestreamInfo | null }) {
  if (!info) {
    return (
      <Panel title={t('setup.restream')}>
        <State level="info">{t('setup.restreamOff')}</State>
        <p class="muted mt-2 max-w-prose">{t('setup.restreamHow')}</p>
      </Panel>
    );
  }
  const at = `rtsp://${location.hostname}:${info.port}`;
  return (
    <Panel title={t('setup.restream')}>
      <p class="max-w-prose">{t('setup.restreamText')}</p>
      <div class="mt-4">
        <Facts
          items={[
            [t('setup.restreamUser'), <Copyable key="user" text={info.username} label={t('setup.restreamUser')} />],
            [
              t('setup.restreamPassword'),
              <Copyable key="password" text={info.password} label={t('setup.restreamPassword')} />,
            ],
            [t('setup.restreamViewers'), String(info.viewers)],
          ]}
        />
      </div>
      {info.streams.length === 0 && <p class="muted mt-4">{t('setup.restreamNone')}</p>}
      <ul class="mt-4 flex flex-col divide-y divide-base-300" aria-label={t('setup.restreamStreams')}>
        {info.streams.map(({ name, path }) => {
          const kind = t(path.endsWith('/sub') ? 'setup.restreamSub' : 'setup.restreamMain');
          return (
            <li key={path} class="py-2">
              <span>
                {name} <span class="muted">{kind}</span>
              </span>
              <div class="small break-all">
                <Copyable text={`${at}${path}`} label={`${name}, ${kind}`} />
              </div>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
