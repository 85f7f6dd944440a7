import { useLocation } from 'preact-iso';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { api } from '../session.ts';
import { useSite } from './context.ts';

/** A receiver of an ARC: where boxes reach it and where the relay does. */
export function ReceiverPage() {
  const { base, site } = useSite();
  const { route } = useLocation();
  const create = useAction(async (fields: Record<string, string>) => {
    const address = (name: string) => ({ host: fields[`${name}.host`] ?? '', port: Number(fields[`${name}.port`]) });
    await api.post('/receivers', {
      name: fields.name ?? '',
      direct: address('direct'),
      relay: address('relay'),
      transport: fields.transport === 'udp' ? 'udp' : 'tcp',
    });
    route(`${base}/arc`);
  });
  const address = (name: 'direct' | 'relay') => (
    <fieldset class="grid gap-4 sm:grid-cols-[1fr_8rem]">
      <legend class="mb-1 font-semibold">{t(`receiver.${name}`)}</legend>
      <p class="muted small sm:col-span-2">{t(`receiver.${name}Hint`)}</p>
      <Field
        label={t('receiver.host')}
        name={`${name}.host`}
        required
        maxLength={255}
        autoComplete="off"
        error={create.error}
      />
      <Field
        label={t('receiver.port')}
        name={`${name}.port`}
        required
        inputMode="numeric"
        pattern="[0-9]{1,5}"
        autoComplete="off"
        error={create.error}
      />
    </fieldset>
  );
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('receiver.new')}</Title>
      <div class="panel flex max-w-2xl flex-col gap-4">
        <ProblemPanel error={create.error} what={t('receiver.createFailed')} focus />
        <Form onSubmit={create.run} label={t('receiver.new')}>
          <Field
            label={t('receiver.name')}
            name="name"
            required
            maxLength={64}
            autoComplete="off"
            error={create.error}
          />
          {address('direct')}
          {address('relay')}
          <Choice
            label={t('receiver.transport')}
            name="transport"
            options={[
              ['tcp', 'TCP'],
              ['udp', 'UDP'],
            ]}
          />
          <SubmitOrCancel busy={create.busy} doing={t('form.saving')} cancel={`${base}/arc`}>
            {t('receiver.create')}
          </SubmitOrCancel>
        </Form>
      </div>
    </>
  );
}
