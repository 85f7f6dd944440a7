import { useLocation } from 'preact-iso';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { NoBox } from '../site/overview.tsx';
import { KeyFields, PanelFields, panelOf } from './panel-fields.tsx';

/** Adds an alarm panel of any maker that sends DC-09 to a box; its page then says what to enter in it. */
export function AddPanelPage() {
  const { base, site, devices, boxes, siteId } = useSite();
  const { route } = useLocation();
  const usable = (boxes.data?.items ?? site.data!.boxes).filter((box) => box.state === 'claimed');
  const add = useAction(async (fields: Record<string, string>) => {
    const body = {
      boxSerial: fields.boxSerial ?? usable[0]!.serial,
      name: fields.name!,
      ...panelOf(fields),
      key: fields.key || null,
      keyFormat: fields.keyFormat as 'hex' | 'characters',
    };
    const { id } = await api.post('/sites/{siteId}/alarm-panels', body, { params: { siteId } });
    devices.reload();
    route(`${base}/devices/${id}`);
  });
  if (usable.length === 0) return <NoBox />;
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('panel.add')}</Title>
      <p class="max-w-prose">{t('panel.intro')}</p>
      <div class="panel flex max-w-2xl flex-col gap-4">
        <ProblemPanel error={add.error} what={t('panel.addFailed')} focus />
        <Form onSubmit={add.run} label={t('panel.add')}>
          <Field
            label={t('add.name')}
            hint={t('add.nameHint')}
            name="name"
            required
            maxLength={64}
            autoComplete="off"
            error={add.error}
          />
          {usable.length > 1 && (
            <Choice label={t('add.box')} name="boxSerial" options={usable.map((box) => [box.serial, box.serial])} />
          )}
          <PanelFields error={add.error} />
          <KeyFields error={add.error} />
          <SubmitOrCancel busy={add.busy} doing={t('panel.addDoing')} cancel={`${base}/devices`}>
            {t('panel.add')}
          </SubmitOrCancel>
        </Form>
      </div>
    </>
  );
}
