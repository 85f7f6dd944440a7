import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { ArcAccount, CreateArcAccount, Device, Receiver } from '../../../protocol/wire/api.ts';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { formatDuration } from '../../components/time.ts';
import { NotFound } from '../not-found.tsx';
import { api } from '../session.ts';
import { checkedTypes, EventChecks } from './checks.tsx';
import { useSite } from './context.ts';
import { USUAL_ALARMS } from './event-types.ts';
import { type ZoneRow, zoneRows } from './zones.ts';

const DAY_MS = 86_400_000;
const INTERVALS_MS = [20_000, 60_000, 300_000, 1_500_000, 3_600_000, DAY_MS];

/** A new account at a receiver, or (with an id in the address) changes to one. */
export function ArcAccountPage({ params }: { params?: { accountId?: string } }) {
  const { site, devices, boxes, siteId } = useSite();
  const accounts = useResource((signal) => api.get('/sites/{siteId}/arc', { params: { siteId }, signal }), [siteId]);
  const receivers = useResource((signal) => api.get('/receivers', { signal }), []);
  const id = params?.accountId;
  const old = accounts.data?.items.find((account) => account.id === id);
  const title = id ? t('arc.editTitle') : t('arc.new');
  const failed = accounts.error ?? receivers.error ?? devices.error;
  const usable = (boxes.data?.items ?? site.data!.boxes)
    .filter((box) => box.state === 'claimed')
    .map((box) => box.serial);
  if (id && accounts.data && !old) return <NotFound />;
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{title}</Title>
      <ProblemPanel
        error={failed}
        what={t('arc.failed')}
        retry={failed === accounts.error ? accounts.reload : receivers.reload}
      />
      {accounts.data && receivers.data && devices.data ? (
        <AccountForm old={old} receivers={receivers.data.items} devices={devices.data.items} boxSerials={usable} />
      ) : (
        !failed && <Skeleton lines={8} />
      )}
    </>
  );
}

interface FormProps {
  old: ArcAccount | undefined;
  receivers: Receiver[];
  devices: Device[];
  boxSerials: string[];
}

function AccountForm({ old, receivers, devices, boxSerials }: FormProps) {
  const { base, siteId } = useSite();
  const { route } = useLocation();
  const [serial, setSerial] = useState(old?.boxSerial ?? boxSerials[0] ?? '');
  const interval = old?.supervision.intervalMs ?? DAY_MS;
  const save = useAction(async (fields: Record<string, string>) => {
    const body: CreateArcAccount = {
      boxSerial: serial,
      receiverId: fields.receiverId!,
      account: fields.account!.trim().toUpperCase(),
      protocol: fields.protocol as ArcAccount['protocol'],
      key: fields.key || null,
      keyFormat: fields.keyFormat as 'hex' | 'characters',
      mode: fields.mode as ArcAccount['mode'],
      events: checkedTypes(fields, 'event'),
      zones: zoneRows(devices, serial, old).flatMap(({ field, deviceId, channel }) =>
        fields[field] ? [{ deviceId, channel, zone: Number(fields[field]) }] : [],
      ),
      supervision: { kind: fields.supervision as 'test', intervalMs: Number(fields.intervalMs) },
    };
    if (old) await api.put('/arc/{accountId}', body, { params: { accountId: old.id } });
    else await api.post('/sites/{siteId}/arc', body, { params: { siteId } });
    route(`${base}/arc`);
  });
  return (
    <div class="panel flex max-w-3xl flex-col gap-4">
      <ProblemPanel error={save.error} what={t('arc.saveFailed')} focus />
      <Form onSubmit={save.run} label={t('arc.settings')}>
        <div class="grid gap-4 sm:grid-cols-2">
          <Choice
            label={t('arc.receiver')}
            name="receiverId"
            value={old?.receiverId}
            options={receivers.map((r) => [r.id, r.name])}
          />
          <Field
            label={t('arc.accountNumber')}
            hint={t('arc.accountHint')}
            name="account"
            value={old?.account ?? ''}
            required
            mono
            pattern="[0-9A-Fa-f]{3,16}"
            maxLength={16}
            autoComplete="off"
            error={save.error}
          />
          {boxSerials.length > 1 && !old && (
            <Choice
              label={t('device.box')}
              name="boxSerial"
              value={serial}
              options={boxSerials.map((s) => [s, s])}
              onChange={setSerial}
            />
          )}
          <Choice
            label={t('arc.protocol')}
            name="protocol"
            value={old?.protocol ?? 'SIA-DCS'}
            options={[
              ['SIA-DCS', t('arc.siaDcs')],
              ['ADM-CID', t('arc.admCid')],
            ]}
          />
          <Choice
            label={t('arc.mode')}
            name="mode"
            value={old?.mode ?? 'direct-or-relay'}
            options={[
              ['direct-or-relay', t('arc.modeText.direct-or-relay')],
              ['relay', t('arc.modeText.relay')],
            ]}
          />
          <Choice
            label={t('arc.supervision')}
            name="supervision"
            value={old?.supervision.kind ?? 'test'}
            options={[
              ['test', t('arc.supervisionTest')],
              ['null', t('arc.supervisionNull')],
              ['off', t('arc.supervisionOff')],
            ]}
          />
          <Choice
            label={t('arc.supervisionEvery')}
            name="intervalMs"
            value={String(interval)}
            options={[...new Set([...INTERVALS_MS, interval])]
              .sort((a, b) => a - b)
              .map((ms) => [String(ms), formatDuration(ms)])}
          />
        </div>
        <fieldset class="grid gap-4 sm:grid-cols-2">
          <legend class="mb-1 font-semibold">{t('arc.encryption')}</legend>
          <p class="muted small sm:col-span-2">
            {t(old ? (old.encrypted ? 'arc.keyKept' : 'arc.keyNone') : 'arc.keyHint')}
          </p>
          <Field label={t('arc.key')} name="key" type="password" maxLength={64} autoComplete="off" error={save.error} />
          <Choice
            label={t('arc.keyFormat')}
            name="keyFormat"
            options={[
              ['hex', t('arc.keyHex')],
              ['characters', t('arc.keyCharacters')],
            ]}
          />
        </fieldset>
        <EventChecks legend={t('arc.events')} name="event" chosen={old?.events ?? USUAL_ALARMS} />
        <Zones rows={zoneRows(devices, serial, old)} />
        <SubmitOrCancel busy={save.busy} doing={t('form.saving')} cancel={`${base}/arc`}>
          {t(old ? 'action.save' : 'arc.create')}
        </SubmitOrCancel>
      </Form>
    </div>
  );
}

function Zones({ rows }: { rows: ZoneRow[] }) {
  return (
    <fieldset>
      <legend class="font-semibold">{t('arc.zones')}</legend>
      <p class="muted small mb-2">{rows.length > 0 ? t('arc.zonesHint') : t('arc.zonesNone')}</p>
      <ul class="flex flex-col gap-2">
        {rows.map((row) => (
          <li key={row.field}>
            <label class="flex items-center gap-3">
              <input
                class="input mono w-20"
                name={row.field}
                defaultValue={row.zone === undefined ? '' : String(row.zone)}
                inputMode="numeric"
                pattern="[0-9]{0,3}"
                maxLength={3}
              />
              {row.name}
            </label>
          </li>
        ))}
      </ul>
    </fieldset>
  );
}
