import { useState } from 'preact/hooks';
import type { Device } from '../../../protocol/wire/api.ts';
import type { ActionName, DeviceAction } from '../../../protocol/wire/operations.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Panel } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { withUndo } from '../../components/undo.tsx';
import { operate } from './list-panel.tsx';
import { actionWord } from './words.ts';

interface Input {
  name: string;
  type?: 'password';
  required?: boolean;
}
/** Actions of the device as a whole that need something typed first. */
const FORMS: { action: ActionName; inputs: Input[]; of: (f: Record<string, string>) => DeviceAction }[] = [
  {
    action: 'diskFormat',
    inputs: [
      { name: 'disk', required: true },
      { name: 'confirm', required: true },
    ],
    of: ({ disk = '', confirm = '' }) => ({ action: 'diskFormat', disk, confirm }),
  },
];
/** And those that go without; none of them can be taken back, so there are some seconds to think. */
const PLAIN: DeviceAction[] = [
  { action: 'reboot' },
  { action: 'walkTestStart' },
  { action: 'walkTestStop' },
  { action: 'restore', mode: 'basic' },
  { action: 'restore', mode: 'full' },
];
const PROMPT = new Set<ActionName>(['walkTestStart', 'walkTestStop']);

export function DeviceActions({
  device,
  zone,
  may,
}: {
  device: Device;
  zone: string;
  may: (action: string) => boolean;
}) {
  const [done, setDone] = useState<string | null>(null);
  const act = useAction(async (action: DeviceAction) => {
    setDone(null);
    const { text, pending } = await operate(device.id, action);
    setDone(text ?? t(pending ? 'operations.pending' : 'operations.done'));
  });
  const plain: DeviceAction[] = [...PLAIN, { action: 'syncTime', timeZone: zone }];
  const word = (action: DeviceAction) =>
    action.action === 'restore' ? t(`operations.restore.${action.mode}`) : actionWord(action.action);
  const start = (action: DeviceAction) => {
    if (PROMPT.has(action.action) || action.action === 'syncTime') return void act.run(action);
    const values = { what: word(action), name: device.name };
    withUndo({
      text: t('operations.soon', values),
      failed: t('operations.actionFailed', values),
      run: (keepalive) => operate(device.id, action, keepalive),
      back: () => {},
    });
  };
  const shown = plain.filter(({ action }) => may(action));
  const forms = FORMS.filter(({ action }) => may(action));
  if (shown.length + forms.length === 0) return null;
  return (
    <Panel title={t('operations.deviceActions')} id="device-actions">
      <ProblemPanel error={act.error} what={t('operations.actFailed', { name: device.name })} focus />
      <p role="status" class="empty:hidden">
        {done}
      </p>
      <div class="flex flex-wrap gap-2">
        {shown.map((action) => (
          <button
            key={word(action)}
            type="button"
            class="btn h-auto min-h-11 max-w-full shrink whitespace-normal py-2"
            onClick={() => start(action)}
          >
            {word(action)}
          </button>
        ))}
      </div>
      {forms.map(({ action, inputs, of }) => (
        <details key={action} class="mt-4">
          <summary class="link cursor-pointer">{actionWord(action)}</summary>
          <div class="mt-3">
            <Form label={actionWord(action)} onSubmit={(fields) => act.run(of(fields))}>
              {inputs.map((input) => (
                <Field
                  key={input.name}
                  label={t(`operations.input.${input.name as 'disk'}`)}
                  name={input.name}
                  type={input.type ?? 'text'}
                  required={input.required}
                  maxLength={128}
                  autoComplete={input.type === 'password' ? 'new-password' : 'off'}
                  error={act.error}
                />
              ))}
              <div>
                <Submit busy={act.busy} doing={t('operations.working')}>
                  {actionWord(action)}
                </Submit>
              </div>
            </Form>
          </div>
        </details>
      ))}
    </Panel>
  );
}
