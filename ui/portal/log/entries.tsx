import { useContext } from 'preact/hooks';
import type { LogEntry } from '../../client/api.gen.ts';
import { lookup, t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { formatTime } from '../../components/time.ts';
import { Time, Zone } from '../../components/time.tsx';
import { me } from '../session.ts';

/** Operations as a table; cards on a phone. */
export function LogTable({ items }: { items: LogEntry[] }) {
  return (
    <table class="rows">
      <thead>
        <tr>
          <th>{t('log.time')}</th>
          <th>{t('log.who')}</th>
          <th>{t('log.client')}</th>
          <th>{t('log.site')}</th>
          <th>{t('log.target')}</th>
          <th>{t('log.operation')}</th>
          <th>{t('log.result')}</th>
        </tr>
      </thead>
      <tbody>
        {items.map((entry) => (
          <tr key={entry.id}>
            <td data-label={t('log.time')}>
              <Time at={entry.at} />
            </td>
            <td data-label={t('log.who')}>
              <Operator {...entry.operator} />
            </td>
            <td data-label={t('log.client')}>
              <span>
                <span class="md:whitespace-nowrap">{t(`log.clientName.${entry.client}`)}</span>
                {entry.clientName && <span class="muted"> {entry.clientName}</span>}
                {entry.address && (
                  // An address of IPv6 is too long for a line of its own.
                  <span class={`muted small mono block ${entry.address.includes(':') ? '' : 'md:whitespace-nowrap'}`}>
                    {entry.address}
                  </span>
                )}
              </span>
            </td>
            <td data-label={t('log.site')} class={entry.site ? '' : 'bare'}>
              {entry.site ? (
                <a class="link" href={`/sites/${entry.site.id}`}>
                  {entry.site.name ?? entry.site.id}
                </a>
              ) : (
                <None />
              )}
            </td>
            <td data-label={t('log.target')} class={entry.target ? '' : 'bare'}>
              {entry.target ? <Target {...entry.target} /> : <None />}
            </td>
            <td data-label={t('log.operation')}>
              <span>
                {actionText(entry.action)}
                {entry.detail && <Detail action={entry.action} detail={entry.detail} />}
              </span>
            </td>
            <td data-label={t('log.result')} class="wide">
              <State level={entry.result === 'ok' ? 'well' : 'attention'}>
                <span class={entry.result === 'ok' ? 'whitespace-nowrap' : ''}>{resultText(entry.result)}</span>
              </State>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Operator({ name, email, companyId, companyName }: LogEntry['operator']) {
  return (
    <span>
      {name ?? t('log.erased')}
      {email && <span class="muted small block">{email}</span>}
      {companyId !== me.value?.company.id && <span class="muted small block">{companyName}</span>}
    </span>
  );
}

function Target({ kind, id, name }: NonNullable<LogEntry['target']>) {
  return (
    <span>
      <span class="muted">{lookup(`log.targetKind.${kind}`) ?? words(kind)}</span>{' '}
      {name ?? (id !== null && !UUID.test(id) && <code class="mono small">{id}</code>)}
    </span>
  );
}

/** Says nothing to a person. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INSTANT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
/** Operations whose detail is made of words of the API, with commas and spaces between; that of others may be names. */
const CODED = new Set([
  ...['applyForPermissions', 'releasePermissions', 'withdrawPermissions', 'transferSite', 'setManagerValidity'],
  ...['createRole', 'changeRole', 'createApiKey', 'setPersonEnabled', 'setPersonLimited', 'suspendCompany'],
]);

function Detail({ action, detail }: { action: string; detail: string }) {
  const zone = useContext(Zone);
  const said = CODED.has(action)
    ? detail
        .split(', ')
        .map(
          (part) =>
            coded(part) ??
            part
              .split(' ')
              .map((word) => coded(word) ?? word)
              .join(' '),
        )
        .join(', ')
    : detail;
  return <span class="muted small block">{said.replace(INSTANT, (at) => formatTime(at, zone))}</span>;
}
const coded = (word: string) => lookup(`log.word.${word.replaceAll(' ', '-')}`);

const None = () => (
  <span class="muted">
    <span aria-hidden="true">–</span>
    <span class="sr-only">{t('log.nothing')}</span>
  </span>
);

/** An operation of a newer relay is told by its name. */
const words = (id: string) => id.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll('-', ' ');
export const actionText = (action: string): string => lookup(`log.action.${action}`) ?? words(action);

function resultText(result: string): string {
  if (result === 'ok') return t('log.succeeded');
  if (result === 'interrupted') return t('log.interrupted');
  return lookup(`problem.${result}.title`) ?? result;
}
