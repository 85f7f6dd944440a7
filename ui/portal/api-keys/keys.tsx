import type { ApiKey } from '../../client/api.gen.ts';
import { t } from '../../components/i18n.ts';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';

/** Keys of the company's programs. */
export function ApiKeys() {
  const keys = useResource((signal) => api.get('/keys', { signal }), []);
  const revoke = (key: ApiKey) => {
    keys.set(({ items }) => ({ items: items.filter((one) => one.id !== key.id) }));
    withUndo({
      text: t('apiKeys.revoked', { name: key.name }),
      failed: t('apiKeys.revokeFailed', { name: key.name }),
      run: (keepalive) => api.delete('/keys/{keyId}', { params: { keyId: key.id }, keepalive }),
      back: keys.reload,
    });
  };
  const items = keys.data?.items ?? [];
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title>{t('apiKeys.title')}</Title>
        <a class="btn" href="/company/api-keys/new">
          {t('apiKeys.add')}
        </a>
      </div>
      <p class="muted max-w-prose">
        {t('apiKeys.intro')}{' '}
        <a class="link" href="/docs" target="_blank" rel="noreferrer">
          {t('apiKeys.docs')}
        </a>
      </p>
      <ProblemPanel error={keys.error} what={t('apiKeys.failed')} retry={keys.reload} />
      {!keys.data && !keys.error && <Skeleton lines={5} />}
      {keys.data && items.length === 0 && <Empty title={t('apiKeys.none')}>{t('apiKeys.noneNext')}</Empty>}
      {items.length > 0 && (
        <div class="panel py-1 md:py-2">
          <table class="rows">
            <thead>
              <tr>
                <th>{t('apiKeys.name')}</th>
                <th>{t('apiKeys.permissions')}</th>
                <th>{t('apiKeys.sites')}</th>
                <th>{t('apiKeys.createdBy')}</th>
                <th>{t('apiKeys.lastUsed')}</th>
                <th>{t('apiKeys.expires')}</th>
                <th>
                  <span class="sr-only">{t('apiKeys.revoke')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((key) => (
                <Row key={key.id} item={key} revoke={() => revoke(key)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Row({ item, revoke }: { item: ApiKey; revoke: () => void }) {
  return (
    <tr>
      <td data-label={t('apiKeys.name')} class="wide">
        <span>
          <strong>{item.name}</strong>
          <span class="muted small block">
            <span class="sr-only">{t('apiKeys.prefix')} </span>
            <code class="mono">{item.prefix}…</code>
          </span>
        </span>
      </td>
      <td data-label={t('apiKeys.permissions')}>
        <span>
          {item.permissions.map((permission) => t(`apiKeys.permission.${permission}`)).join(', ')}
          <span class="muted small block">{item.readOnly ? t('apiKeys.reads') : t('apiKeys.mayWrite')}</span>
        </span>
      </td>
      <td data-label={t('apiKeys.sites')}>
        {item.sites ? item.sites.map((site) => site.name).join(', ') : t('apiKeys.sitesAll')}
      </td>
      <td data-label={t('apiKeys.createdBy')}>{item.createdBy.name}</td>
      <td data-label={t('apiKeys.lastUsed')}>
        {item.lastUsedAt ? <Time at={item.lastUsedAt} /> : <span class="muted">{t('apiKeys.never')}</span>}
      </td>
      <td data-label={t('apiKeys.expires')}>
        <Time at={item.expiresAt} />
      </td>
      <td class="wide">
        <button type="button" class="btn" aria-label={t('apiKeys.revokeWhat', { name: item.name })} onClick={revoke}>
          {t('apiKeys.revoke')}
        </button>
      </td>
    </tr>
  );
}
