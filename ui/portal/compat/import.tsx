import { useState } from 'preact/hooks';
import { type ImportedCompat, MAX_COMPAT_CSV } from '../../../protocol/wire/compat.ts';
import { address } from '../../client/client.ts';
import { Form, Submit } from '../../components/form.tsx';
import { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Panel, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { api } from '../session.ts';

/** The operator replaces the compatibility list by a file: the download, edited. */
export function ImportCompatPage() {
  const [file, setFile] = useState<File | null>(null);
  const [done, setDone] = useState<ImportedCompat | null>(null);
  const send = useAction(async () => {
    setDone(null);
    if (!file) throw new ApiError('invalid-request', 0, { detail: t('compat.chooseFile') });
    if (file.size > MAX_COMPAT_CSV) throw new ApiError('payload-too-large', 0, { detail: t('compat.fileTooLarge') });
    setDone(await api.put('/operator/compatibility', { csv: await file.text() }));
  });
  return (
    <>
      <Title>{t('compat.import')}</Title>
      <Panel title={t('compat.file')}>
        <p class="muted mb-4 max-w-prose">
          {t('compat.importText')}{' '}
          <a class="link" href={address('/compatibility/export', {})} download>
            {t('compat.downloadAll')}
          </a>
        </p>
        <Form onSubmit={() => send.run()} label={t('compat.import')}>
          <label class="block">
            <span class="font-semibold">{t('compat.file')}</span>
            <input
              type="file"
              accept=".csv,text/csv"
              class="input mt-1 h-auto py-2"
              required
              onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)}
            />
          </label>
          <ProblemPanel error={send.error} what={t('compat.importFailed')} focus />
          <div class="flex flex-wrap items-center gap-4">
            <Submit busy={send.busy} doing={t('compat.importing')}>
              {t('compat.importNow')}
            </Submit>
            <span role="status">
              {done && (
                <State level="well">
                  {t('compat.imported', { rows: done.rows, added: done.added, removed: done.removed })}
                </State>
              )}
            </span>
          </div>
        </Form>
      </Panel>
      <p>
        <a class="link" href="/compatibility">
          {t('compat.title')}
        </a>
      </p>
    </>
  );
}
