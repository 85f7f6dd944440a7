import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ArcReceiver, KeyFormat, SaveArcReceiver } from '../../../protocol/wire/arc-receiver.ts';
import { Choice, Field } from '../../components/form.tsx';
import type { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { useResource } from '../../components/resource.ts';
import { formatDuration } from '../../components/time.ts';
import { api } from '../session.ts';

/*
 * The parts of a receiver's form. Each reads its fields again from what the form sends (`…Of`).
 */

type Fields = Record<string, string>;
interface Part {
  old: ArcReceiver | undefined;
  error: ApiError | null;
}
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const SUPERVISION_MS = [5_000, 10_000, 20_000, 25_000, MINUTE_MS, 300_000, 1_500_000, 3_600_000, DAY_MS];
const TEST_MS = [3_600_000, 6 * 3_600_000, 12 * 3_600_000, DAY_MS, 7 * DAY_MS];
const ACK_MS = [2_000, 3_000, 5_000, 8_000, 12_000, 20_000];
/** Also what is set now, though it is none of the usual. */
const durations = (usual: number[], now: number) =>
  [...new Set([...usual, now])].sort((a, b) => a - b).map((ms) => [String(ms), formatDuration(ms)] as const);

function Group({ legend, hint, children }: { legend: string; hint?: string; children: ComponentChildren }) {
  return (
    <fieldset class="grid items-end gap-4 border-t border-base-300 pt-3 sm:grid-cols-2">
      <legend class="pr-2 font-semibold">{legend}</legend>
      {hint && <p class="muted small max-w-prose sm:col-span-2">{hint}</p>}
      {children}
    </fieldset>
  );
}

function Check({ name, on, children }: { name: string; on: boolean; children: ComponentChildren }) {
  return (
    <label class="flex min-h-8 items-center gap-3">
      <input type="checkbox" class="checkbox checkbox-sm" name={name} defaultChecked={on} />
      {children}
    </label>
  );
}

/** What it means that the relay receives, or who can turn that on where it does not. */
function Hosted() {
  const here = useResource((signal) => api.get('/arc-senders', { signal }), []);
  if (here.data && here.data.host === null)
    return (
      <p role="status">
        <State level="attention">{t('arcReceiver.hostedOff')}</State>
      </p>
    );
  return <p class="muted">{t('arcReceiver.hostedText')}</p>;
}

export function Addresses({ old, error }: Part) {
  const [kind, setKind] = useState(old?.kind ?? 'external');
  const port = (name: string, label: string, value: number | undefined) => (
    <Field
      label={label}
      name={name}
      required
      inputMode="numeric"
      pattern="[0-9]{1,5}"
      maxLength={5}
      value={value === undefined ? '12128' : String(value)}
      autoComplete="off"
      error={error}
    />
  );
  const host = (name: string, label: string, hint: string, value: string | undefined) => (
    <Field
      label={label}
      hint={hint}
      name={name}
      required
      maxLength={255}
      value={value}
      autoComplete="off"
      error={error}
    />
  );
  return (
    <>
      <div class="grid items-end gap-4 sm:grid-cols-2">
        <Field
          label={t('arcReceiver.name')}
          name="name"
          required
          maxLength={64}
          value={old?.name}
          autoComplete="off"
          error={error}
        />
        <Choice
          label={t('arcReceiver.kind')}
          name="kind"
          value={kind}
          options={[
            ['external', t('arcReceiver.kindExternal')],
            ['hosted', t('arcReceiver.kindHosted')],
          ]}
          onChange={(value) => setKind(value as typeof kind)}
        />
      </div>
      {kind === 'hosted' ? (
        <Hosted />
      ) : (
        <Group legend={t('arcReceiver.addresses')} hint={t('arcReceiver.addressesHint')}>
          {host('directHost', t('arcReceiver.direct'), t('arcReceiver.directHint'), old?.direct.host)}
          {port('directPort', t('arcReceiver.directPort'), old?.direct.port)}
          {host('relayHost', t('arcReceiver.relay'), t('arcReceiver.relayHint'), old?.relay.host)}
          {port('relayPort', t('arcReceiver.relayPort'), old?.relay.port)}
        </Group>
      )}
      <Group legend={t('arcReceiver.protocol')}>
        <Choice
          label={t('arcReceiver.protocol')}
          name="protocol"
          value={old?.protocol ?? 'SIA-DCS'}
          options={[
            ['SIA-DCS', t('arcReceiver.siaDcs')],
            ['ADM-CID', t('arcReceiver.admCid')],
          ]}
        />
        <Choice
          label={t('arcReceiver.transport')}
          name="transport"
          value={old?.transport ?? 'tcp'}
          options={[
            ['tcp', 'TCP'],
            ['udp', 'UDP'],
          ]}
        />
        <Field
          label={t('arcReceiver.partition')}
          hint={t('arcReceiver.partitionHint')}
          name="partition"
          required
          inputMode="numeric"
          pattern="[0-9]{1,2}"
          maxLength={2}
          value={String(old?.partition ?? 1)}
          autoComplete="off"
          error={error}
        />
      </Group>
    </>
  );
}

export function addressesOf(
  fields: Fields,
): Pick<SaveArcReceiver, 'name' | 'kind' | 'protocol' | 'transport' | 'partition'> {
  const { name = '', kind, directHost, directPort, relayHost, relayPort } = fields;
  const ends =
    kind === 'hosted'
      ? {}
      : {
          direct: { host: (directHost ?? '').trim(), port: Number(directPort) },
          relay: { host: (relayHost ?? '').trim(), port: Number(relayPort) },
        };
  return {
    name,
    kind: kind as SaveArcReceiver['kind'],
    ...ends,
    partition: Number(fields.partition),
    protocol: fields.protocol as SaveArcReceiver['protocol'],
    transport: fields.transport as SaveArcReceiver['transport'],
  };
}

/** What a key is, as far as its length says; null: it is none. */
export function keyKind(text: string, format: KeyFormat): 'aes128' | 'aes192' | 'aes256' | null {
  if (format === 'hex' && !/^[0-9a-f]+$/i.test(text)) return null;
  const bytes = format === 'hex' ? text.length / 2 : text.length;
  return ({ 16: 'aes128', 24: 'aes192', 32: 'aes256' } as const)[bytes] ?? null;
}

export function Encryption({ old, error }: Part) {
  const [text, setText] = useState('');
  const [format, setFormat] = useState<KeyFormat>(old?.keyFormat ?? 'hex');
  const kind = keyKind(text, format);
  const other = keyKind(text, format === 'hex' ? 'characters' : 'hex');
  return (
    <Group
      legend={t('arcReceiver.encryption')}
      hint={t(old?.encrypted ? 'arcReceiver.keyKept' : 'arcReceiver.keyHint')}
    >
      <Field
        label={t('arcReceiver.key')}
        name="key"
        type="password"
        maxLength={64}
        autoComplete="off"
        error={error}
        onInput={(value) => setText(value.trim())}
      />
      <Choice
        label={t('arcReceiver.keyFormat')}
        name="keyFormat"
        value={format}
        options={[
          ['hex', t('arcReceiver.keyHex')],
          ['characters', t('arcReceiver.keyCharacters')],
        ]}
        onChange={(value) => setFormat(value as KeyFormat)}
      />
      <p role="status" class="small empty:hidden sm:col-span-2">
        {text !== '' && (kind ? t(`arcReceiver.keyIs.${kind}`) : t('arcReceiver.keyIs.none', { count: text.length }))}
        {text !== '' && other && ` ${t(kind ? 'arcReceiver.keyBoth' : 'arcReceiver.keyOther')}`}
      </p>
      {old?.encrypted && (
        <Check name="clearKey" on={false}>
          {t('arcReceiver.clearKey')}
        </Check>
      )}
    </Group>
  );
}

export function encryptionOf(fields: Fields): Pick<SaveArcReceiver, 'key' | 'keyFormat'> {
  const typed = fields.key?.trim();
  const key = typed ? { key: typed } : 'clearKey' in fields ? { key: null } : {};
  return { ...key, keyFormat: fields.keyFormat as KeyFormat };
}

export function Timing({ old, error }: Part) {
  const supervision = old?.supervision ?? { kind: 'null', intervalMs: 25_000 };
  const test = old?.periodicTest ?? null;
  const minute = test?.atMinute ?? null;
  const at =
    minute === null
      ? ''
      : `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
  return (
    <>
      <Group legend={t('arcReceiver.supervision')} hint={t('arcReceiver.supervisionHint')}>
        <Choice
          label={t('arcReceiver.supervisionBy')}
          name="supervision"
          value={supervision.kind}
          options={[
            ['null', t('arcReceiver.supervisionNull')],
            ['test', t('arcReceiver.supervisionTest')],
            ['off', t('arcReceiver.supervisionOff')],
          ]}
        />
        <Choice
          label={t('arcReceiver.supervisionEvery')}
          name="intervalMs"
          value={String(supervision.intervalMs)}
          options={durations(SUPERVISION_MS, supervision.intervalMs)}
        />
        <Choice
          label={t('arcReceiver.periodicTest')}
          name="testMs"
          value={String(test?.intervalMs ?? 0)}
          options={[['0', t('arcReceiver.periodicTestOff')], ...durations(TEST_MS, test?.intervalMs ?? DAY_MS)]}
        />
        <Field
          label={t('arcReceiver.testAt')}
          hint={t('arcReceiver.testAtHint')}
          name="testAt"
          pattern="([01][0-9]|2[0-3]):[0-5][0-9]"
          maxLength={5}
          value={at}
          autoComplete="off"
          error={error}
        />
      </Group>
      <Group legend={t('arcReceiver.retries')} hint={t('arcReceiver.retriesHint')}>
        <Choice
          label={t('arcReceiver.ackTimeout')}
          name="ackTimeoutMs"
          value={String(old?.ackTimeoutMs ?? 5_000)}
          options={durations(ACK_MS, old?.ackTimeoutMs ?? 5_000)}
        />
        <Choice
          label={t('arcReceiver.attempts')}
          name="attempts"
          value={String(old?.attempts ?? 2)}
          options={['1', '2', '3', '4', '5'].map((n) => [n, n])}
        />
      </Group>
    </>
  );
}

export function timingOf(
  fields: Fields,
): Pick<SaveArcReceiver, 'supervision' | 'periodicTest' | 'ackTimeoutMs' | 'attempts'> {
  const [hours, minutes] = (fields.testAt ?? '').split(':').map(Number);
  const atMinute = fields.testAt ? (hours ?? 0) * 60 + (minutes ?? 0) : null;
  const testMs = Number(fields.testMs);
  return {
    supervision: {
      kind: fields.supervision as SaveArcReceiver['supervision']['kind'],
      intervalMs: Number(fields.intervalMs),
    },
    periodicTest: testMs === 0 ? null : { intervalMs: testMs, atMinute },
    ackTimeoutMs: Number(fields.ackTimeoutMs),
    attempts: Number(fields.attempts),
  };
}

export function Extended({ old }: Pick<Part, 'old'>) {
  const { blocks, text, picture, path } = old?.extended ?? { blocks: 1, text: false, picture: false, path: false };
  return (
    <Group legend={t('arcReceiver.extended')} hint={t('arcReceiver.extendedHint')}>
      <Choice
        label={t('arcReceiver.blocks')}
        name="blocks"
        value={String(blocks)}
        options={['1', '2', '3', '4'].map((n) => [n, n])}
      />
      <div>
        <Check name="extendedText" on={text}>
          {t('arcReceiver.extendedText')}
        </Check>
        <Check name="extendedPicture" on={picture}>
          {t('arcReceiver.extendedPicture')}
        </Check>
        <Check name="extendedPath" on={path}>
          {t('arcReceiver.extendedPath')}
        </Check>
      </div>
    </Group>
  );
}

export const extendedOf = (fields: Fields): SaveArcReceiver['extended'] => ({
  blocks: Number(fields.blocks),
  text: 'extendedText' in fields,
  picture: 'extendedPicture' in fields,
  path: 'extendedPath' in fields,
});

export function OwnLineFields({ old, error }: Part) {
  return (
    <Group legend={t('arcReceiver.ownLine')} hint={t('arcReceiver.ownLineHint')}>
      <Check name="ownLine" on={old?.ownLine.enabled ?? false}>
        {t('arcReceiver.ownLineOn')}
      </Check>
      <Field
        label={t('arcReceiver.line')}
        name="line"
        required
        mono
        pattern="(?!0+$)[0-9A-Fa-f]{1,6}"
        maxLength={6}
        value={old?.ownLine.line ?? '1'}
        autoComplete="off"
        error={error}
      />
    </Group>
  );
}

export const ownLineOf = (fields: Fields): SaveArcReceiver['ownLine'] => ({
  enabled: 'ownLine' in fields,
  line: (fields.line ?? '1').trim().toUpperCase(),
});
