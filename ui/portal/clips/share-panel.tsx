import { useState } from 'preact/hooks';
import { type ClipShare, type MadeClipShare, SHARE_HOURS } from '../../../protocol/wire/clips.ts';
import { Choice, Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Panel, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';

/** Links by which a clip is shared: made, shown once, listed, taken back. */
export function ClipSharePanel({ clipId }: { clipId: string }) {
  const params = { clipId };
  const shares = useResource((signal) => api.get('/clips/{clipId}/shares', { params, signal }), [clipId]);
  const [made, setMade] = useState<MadeClipShare | null>(null);
  const making = useAction(async (fields: Record<string, string>) => {
    const hours = SHARE_HOURS.find((one) => String(one) === fields.hours) ?? 24;
    const share = await api.post('/clips/{clipId}/shares', { hours, note: fields.note ?? '' }, { params });
    setMade(share);
    shares.set((old) => ({ items: [...old.items, share] }));
  });
  const remove = (share: ClipShare) => {
    shares.set((old) => ({ items: old.items.filter((one) => one.id !== share.id) }));
    if (made?.id === share.id) setMade(null);
    withUndo({
      text: t('clips.share.taken'),
      failed: t('clips.share.takeFailed'),
      back: () => shares.reload(),
      run: (leaving) =>
        api.delete('/clips/{clipId}/shares/{clipShareId}', {
          params: { clipId, clipShareId: share.id },
          keepalive: leaving,
        }),
    });
  };
  return (
    <Panel title={t('clips.share.title')} id="share">
      <p class="muted mb-3 max-w-prose">{t('clips.share.text')}</p>
      <Form onSubmit={(fields) => void making.run(fields)} label={t('clips.share.title')}>
        <Choice
          label={t('clips.share.until')}
          name="hours"
          value="24"
          options={SHARE_HOURS.map((hours) => [String(hours), t(`clips.share.hours.${hours}`)] as const)}
        />
        <Field label={t('clips.share.note')} name="note" maxLength={64} error={making.error} />
        <ProblemPanel error={making.error} what={t('clips.share.failed')} />
        <div>
          <Submit busy={making.busy} doing={t('clips.share.making')}>
            {t('clips.share.make')}
          </Submit>
        </div>
      </Form>
      {made && <MadeLink made={made} />}
      <ProblemPanel error={shares.error} what={t('clips.share.listFailed')} retry={shares.reload} />
      {!shares.data && !shares.error && <Skeleton lines={2} />}
      {shares.data && shares.data.items.length > 0 && (
        <ul class="mt-4 flex flex-col gap-3">
          {shares.data.items.map((share) => (
            <li key={share.id} class="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
              <span>
                <span class="font-semibold">{share.note || t('clips.share.unnamed')}</span>{' '}
                <span class="muted">
                  {t('clips.share.ends')} <Time at={share.expiresAt} />,{' '}
                  {share.views === 0 ? t('clips.share.unopened') : t('clips.share.views', { count: share.views })}
                  {share.by && `, ${t('clips.share.by', { name: share.by })}`}
                </span>
              </span>
              <button type="button" class="btn" onClick={() => remove(share)}>
                {t('clips.share.take')}
              </button>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function MadeLink({ made }: { made: MadeClipShare }) {
  const [copied, setCopied] = useState(false);
  const url = made.url ?? new URL(made.path, location.href).href;
  const copy = async () => {
    await navigator.clipboard?.writeText(url).catch(() => {});
    setCopied(true);
  };
  return (
    <div class="mt-4" role="status">
      <p class="font-semibold">{t('clips.share.once')}</p>
      <p class="mono select-all break-all">{url}</p>
      <button type="button" class="btn mt-2" onClick={() => void copy()}>
        {t(copied ? 'clips.share.copied' : 'clips.share.copy')}
      </button>
    </div>
  );
}
