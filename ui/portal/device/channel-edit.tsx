import type { DeviceAction, DeviceListItem } from '../../../protocol/wire/operations.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import type { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { Panel } from '../../components/page.tsx';

/** A channel of a recorder: its name, and where its camera is (CHAN-03). Only what differs is sent, with the password. */
export function ChannelEdit({
  item,
  save,
  close,
  busy,
  error,
}: {
  item: DeviceListItem;
  save: (action: DeviceAction) => void;
  close: () => void;
  busy: boolean;
  error: ApiError | null;
}) {
  const { address, port, username } = item.values;
  const was: Record<string, string> = {
    name: item.name,
    address: String(address ?? ''),
    port: String(port ?? ''),
    username: String(username ?? ''),
  };
  const text = (name: 'name' | 'address' | 'port' | 'username', maxLength: number) => (
    <Field
      label={t(`operations.channelEdit.${name}`)}
      name={name}
      value={was[name]}
      required={was[name] !== ''}
      inputMode={name === 'port' ? 'numeric' : 'text'}
      maxLength={maxLength}
      pattern={name === 'port' ? '[0-9]{1,5}' : undefined}
      autoComplete="off"
      error={error}
    />
  );
  const submit = ({ password = '', ...fields }: Record<string, string>) => {
    const changed = Object.entries(fields).filter(([name, value]) => value !== '' && value !== was[name]);
    const { port: to, ...rest } = Object.fromEntries(changed);
    save({ action: 'channelEdit', channel: Number(item.id), ...rest, ...(to && { port: Number(to) }), password });
  };
  return (
    <Panel title={t('operations.channelEdit.title', { name: item.name })}>
      <Form label={t('operations.channelEdit.title', { name: item.name })} onSubmit={submit}>
        {text('name', 64)}
        {text('address', 64)}
        {text('port', 5)}
        {text('username', 64)}
        <Field
          label={t('operations.channelEdit.password')}
          hint={t('operations.channelEdit.passwordHint')}
          name="password"
          type="password"
          required
          maxLength={128}
          autoComplete="off"
          error={error}
        />
        <div class="flex flex-wrap gap-4">
          <Submit busy={busy} doing={t('form.saving')}>
            {t('operations.channelEdit.save')}
          </Submit>
          <button type="button" class="btn" onClick={close}>
            {t('action.cancel')}
          </button>
        </div>
      </Form>
    </Panel>
  );
}
