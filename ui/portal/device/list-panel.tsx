import { useState } from 'preact/hooks';
import type { Device } from '../../../protocol/wire/api.ts';
import type { DeviceAction, DeviceCapabilities, DeviceListItem, ListName } from '../../../protocol/wire/operations.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { ChannelEdit } from './channel-edit.tsx';
import { ROW_ACTIONS } from './row-actions.ts';
import { valueWord } from './setting-fields.tsx';
import { actionWord, fieldWord, isUnverified, listWord } from './words.ts';

export const operate = (deviceId: string, action: DeviceAction, keepalive = false) =>
  api.post('/devices/{deviceId}/actions', action, { params: { deviceId }, keepalive });

/** What a device has of something, as a table, with what can be done to each. */
export function ListPanel({
  device,
  capabilities,
  list,
  channel,
}: {
  device: Device;
  capabilities: DeviceCapabilities;
  list: ListName;
  channel: number | undefined;
}) {
  const [open, setOpen] = useState(false);
  const word = listWord(list);
  return (
    <Panel
      title={word}
      id={`list-${list}`}
      action={
        <button type="button" class="btn" aria-expanded={open} onClick={() => setOpen(!open)}>
          {t(open ? 'operations.hide' : 'operations.show')}
          <span class="sr-only">: {word}</span>
        </button>
      }
    >
      {open && (
        <>
          {isUnverified(capabilities, list) && <State level="attention">{t('operations.unverified')}</State>}
          <Items {...{ device, capabilities, list, channel }} />
        </>
      )}
    </Panel>
  );
}

function Items({
  device,
  capabilities,
  list,
  channel,
}: {
  device: Device;
  capabilities: DeviceCapabilities;
  list: ListName;
  channel: number | undefined;
}) {
  const items = useResource(
    (signal) =>
      api.get('/devices/{deviceId}/lists/{list}', {
        params: { deviceId: device.id, list },
        query: { channel },
        signal,
      }),
    [device.id, list, channel],
  );
  const [done, setDone] = useState<string | null>(null);
  const [editing, setEditing] = useState<DeviceListItem | null>(null);
  const act = useAction(async (item: DeviceListItem, action: DeviceAction) => {
    setDone(null);
    const { text, pending } = await operate(device.id, action);
    setDone(`${item.name || item.id}: ${text ?? t(pending ? 'operations.pending' : 'operations.done')}`);
    setEditing(null);
    items.reload();
  });
  if (items.error)
    return (
      <ProblemPanel error={items.error} what={t('operations.readFailed', { name: device.name })} retry={items.reload} />
    );
  if (!items.data) return <Skeleton />;
  if (items.data.items.length === 0) return <Empty title={t('operations.none')} />;
  const columns = [...new Set(items.data.items.flatMap((item) => Object.keys(item.values)))];
  const offered = (ROW_ACTIONS[list] ?? []).filter(({ action }) =>
    capabilities.actions.some((a) => a.action === action),
  );
  // A channel without an address is the recorder's own.
  const editable = list === 'recorderChannels' && capabilities.actions.some((a) => a.action === 'channelEdit');
  const run = (item: DeviceListItem, row: (typeof offered)[number]) => {
    const action = row.of(item, channel ?? 1);
    if (!row.undo) return void act.run(item, action);
    const values = { what: actionWord(row.action), name: item.name || item.id };
    withUndo({
      text: t('operations.soon', values),
      failed: t('operations.actionFailed', values),
      run: (keepalive) => operate(device.id, action, keepalive).then(items.reload),
      back: items.reload,
    });
  };
  return (
    <>
      <ProblemPanel error={act.error} what={t('operations.actFailed', { name: device.name })} focus />
      <p role="status" class="empty:hidden">
        {done}
      </p>
      {editing && (
        <ChannelEdit
          key={editing.id}
          item={editing}
          save={(action) => act.run(editing, action)}
          close={() => setEditing(null)}
          busy={act.busy}
          error={act.error}
        />
      )}
      <div class="md:overflow-x-auto">
        <table class="rows">
          <thead>
            <tr>
              <th>{t('operations.name')}</th>
              {columns.map((column) => (
                <th key={column}>{fieldWord(column)}</th>
              ))}
              {(offered.length > 0 || editable) && (
                <th>
                  <span class="sr-only">{t('operations.actions')}</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {items.data.items.map((item) => (
              <tr key={item.id}>
                <td data-label={t('operations.name')} class="wide">
                  <span>
                    <strong>{item.name || item.id}</strong> {item.name && <span class="muted small">{item.id}</span>}
                  </span>
                </td>
                {columns.map((column) => (
                  <td key={column} data-label={fieldWord(column)}>
                    {valueWord(item.values[column] ?? null)}
                  </td>
                ))}
                {(offered.length > 0 || editable) && (
                  <td class="wide">
                    <span class="flex flex-wrap gap-2">
                      {editable && item.values.address && (
                        <button
                          type="button"
                          class="btn"
                          aria-expanded={editing?.id === item.id}
                          onClick={() => setEditing(editing?.id === item.id ? null : item)}
                        >
                          {actionWord('channelEdit')}
                          <span class="sr-only">: {item.name || item.id}</span>
                        </button>
                      )}
                      {offered
                        .filter((row) => row.when?.(item) ?? true)
                        .map((row) => (
                          <button
                            key={row.action}
                            type="button"
                            class="btn"
                            aria-disabled={act.busy}
                            onClick={() => run(item, row)}
                          >
                            {actionWord(row.action)}
                            <span class="sr-only">: {item.name || item.id}</span>
                          </button>
                        ))}
                    </span>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
