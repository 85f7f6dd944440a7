import { useState } from 'preact/hooks';
import { type FirmwarePackage, readPackageName } from '../../../protocol/wire/firmware.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { formatBytes } from '../../components/time.ts';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { sendFile } from './send.ts';

const LEVEL: Record<FirmwarePackage['state'], Level> = { uploading: 'working', ready: 'well', failed: 'problem' };

/** The operator's packages of firmware. */
export function FirmwarePage() {
  const list = useResource((signal) => api.get('/operator/firmware', { signal }), []);
  const items = list.data?.items ?? [];
  const remove = (item: FirmwarePackage) => {
    const file = item.fileName;
    const change = (next: (items: FirmwarePackage[]) => FirmwarePackage[]) =>
      list.set((old) => ({ items: next(old.items) }));
    change((old) => old.filter((one) => one.id !== item.id));
    withUndo({
      text: t('firmware.deleted', { file }),
      failed: t('firmware.deleteFailed', { file }),
      run: (keepalive) =>
        api.delete('/operator/firmware/{firmwareId}', { params: { firmwareId: item.id }, keepalive }).then(() => {}),
      back: () => change((old) => [item, ...old].sort((a, b) => b.id.localeCompare(a.id))),
    });
  };
  return (
    <>
      <Title>{t('firmware.title')}</Title>
      <p class="muted max-w-prose">{t('firmware.text')}</p>
      <Add added={list.reload} />
      <ProblemPanel error={list.error} what={t('firmware.failed')} retry={list.reload} />
      {!list.data && !list.error && <Skeleton lines={6} />}
      {list.data && items.length === 0 && <Empty title={t('firmware.none')}>{t('firmware.noneNext')}</Empty>}
      <ul class="flex flex-col gap-3">
        {items.map((item) => (
          <li key={item.id} class="panel flex flex-wrap items-start justify-between gap-3">
            <div class="min-w-0">
              <strong class="break-all">{item.fileName}</strong>{' '}
              <span class="muted small">{formatBytes(item.size)}</span>
              <p class="small">{item.version}</p>
              <p class="small mono break-words">{item.models.join(', ')}</p>
              {item.note && <p class="small">{item.note}</p>}
              <State level={LEVEL[item.state]}>
                {t(`firmware.state.${item.state}`)} {item.reason && say(item.reason)}
              </State>
            </div>
            <button
              type="button"
              class="btn"
              aria-label={t('firmware.deleteFor', { file: item.fileName })}
              onClick={() => remove(item)}
            >
              {t('firmware.delete')}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function Add({ added }: { added: () => void }) {
  const [file, setFile] = useState<File | null>(null);
  const [percent, setPercent] = useState<number | null>(null);
  const add = useAction(async (fields: Record<string, string>) => {
    if (!file || !readPackageName(file.name))
      throw new ApiError('invalid-request', 0, { detail: t('upgrade.nameWrong') });
    const models = (fields.models ?? '').split(/[\s,;]+/).filter(Boolean);
    setPercent(0);
    try {
      const body = { fileName: file.name, size: file.size, models, note: fields.note ?? '' };
      const begun = await api.post('/operator/firmware', body);
      await sendFile(begun.url, file, setPercent);
    } finally {
      setPercent(null);
      added();
    }
  });
  return (
    <Panel title={t('firmware.add')}>
      <Form onSubmit={add.run} label={t('firmware.add')}>
        <label class="flex flex-col gap-1">
          <span class="font-semibold">{t('firmware.file')}</span>
          <span class="muted small">{t('upgrade.bringHint')}</span>
          <input
            type="file"
            required
            accept=".zip,application/zip"
            class="file-input w-full"
            onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)}
          />
        </label>
        <Field
          label={t('firmware.models')}
          name="models"
          hint={t('firmware.modelsHint')}
          mono
          required
          error={add.error}
        />
        <Field label={t('firmware.note')} name="note" maxLength={1000} />
        {percent !== null && <p role="status">{t('upgrade.sending', { percent })}</p>}
        <ProblemPanel error={add.error} what={t('firmware.addFailed')} focus />
        <Submit busy={add.busy} doing={t('upgrade.sending', { percent: percent ?? 0 })}>
          {t('firmware.submit')}
        </Submit>
      </Form>
    </Panel>
  );
}
