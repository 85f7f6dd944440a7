import type { z } from 'zod';
import type { DeviceDefaults, SetDeviceDefaults } from '../../../protocol/wire/activation.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Panel } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { type Resource, useAction } from '../../components/resource.ts';
import { api } from '../session.ts';

type Name = 'password' | 'verificationCode';
type Change = z.input<typeof SetDeviceDefaults>;

/** The default password and the default verification code, each set and forgotten by itself (INIT-05). */
export function Defaults({ defaults }: { defaults: Resource<DeviceDefaults> }) {
  return (
    <Panel title={t('activation.defaults.title')} id="defaults">
      <p class="muted max-w-prose">{t('activation.defaults.text')}</p>
      <ProblemPanel error={defaults.error} what={t('activation.defaults.failed')} retry={defaults.reload} />
      {defaults.data &&
        (['password', 'verificationCode'] as const).map((name) => (
          <One key={name} name={name} isSet={defaults.data![name]} set={(now) => defaults.set(() => now)} />
        ))}
    </Panel>
  );
}

function One({ name, isSet, set }: { name: Name; isSet: boolean; set: (now: DeviceDefaults) => void }) {
  const save = useAction(async (change: Change) => set(await api.put('/company/device-defaults', change)));
  const isPassword = name === 'password';
  return (
    <details class="mt-3">
      <summary class="flex min-h-11 cursor-pointer items-center gap-2">
        {t(`activation.defaults.${name}`)}{' '}
        <span class="muted small">{t(isSet ? 'activation.defaults.set' : 'activation.defaults.unset')}</span>
      </summary>
      <ProblemPanel error={save.error} what={t('activation.defaults.failed')} focus />
      <Form
        key={String(isSet)}
        label={t(`activation.defaults.${name}`)}
        onSubmit={(fields) => save.run({ [name]: fields[name] })}
      >
        <Field
          label={t(`activation.defaults.${name}`)}
          name={name}
          type={isPassword ? 'password' : 'text'}
          required
          mono={!isPassword}
          minLength={isPassword ? 8 : 6}
          maxLength={isPassword ? 16 : 12}
          pattern={isPassword ? undefined : '[A-Za-z0-9]{6,12}'}
          autoComplete={isPassword ? 'new-password' : 'off'}
          hint={t(isPassword ? 'activation.rule' : 'activation.code.hint')}
          error={save.error}
        />
        <span class="flex flex-wrap gap-2">
          <Submit busy={save.busy} doing={t('form.saving')}>
            {t('activation.defaults.save')}
          </Submit>
          {isSet && (
            <button type="button" class="btn" aria-disabled={save.busy} onClick={() => save.run({ [name]: null })}>
              {t('activation.defaults.forget')}
            </button>
          )}
        </span>
      </Form>
    </details>
  );
}
