import type { CloudStock } from '../../../protocol/wire/cloud.ts';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { useResource } from '../../components/resource.ts';
import { api } from '../session.ts';
import { definitionWords, packageKey, packageWords } from './words.ts';

interface At {
  deviceId: string;
  channel: number;
}

/** The definitions that a channel's main stream offers; none while the device is not asked, or does not say. */
export function useDefinitions(at: At | null): string[] {
  const found = useResource(
    async (signal) => {
      if (!at) return [];
      const { deviceId, channel } = at;
      const { fields } = await api.get('/devices/{deviceId}/settings/{section}', {
        ...{ params: { deviceId, section: 'video' }, query: { channel, stream: 1 }, signal },
      });
      const field = fields.find((one) => one.name === 'resolution');
      return field?.kind === 'choice' ? field.options.filter((one) => /^\d+x\d+$/.test(one)) : [];
    },
    [at?.deviceId, at?.channel],
  );
  return found.data ?? [];
}

/** What one channel gets: package, definition, kind and stream. `stock` null: it is paid already. */
export function ChannelFields(o: { name: string; at: At | null; stock: readonly CloudStock[] | null }) {
  const definitions = useDefinitions(o.at);
  const left = o.stock?.filter((one) => one.remaining > 0) ?? [];
  return (
    <div class="mb-3 grid max-w-2xl gap-4 sm:grid-cols-2">
      {o.stock && left.length > 0 && (
        <Choice
          label={t('cloud.packageLabel')}
          name={`${o.name}:package`}
          options={left.map((one) => [packageKey(one), packageWords(one)] as const)}
        />
      )}
      {o.stock && left.length === 0 && <State level="problem">{t('cloud.noneLeft')}</State>}
      <Choice
        label={t('cloud.definition')}
        name={`${o.name}:definition`}
        options={[['', t('cloud.asIs')] as const, ...definitions.map((one) => [one, definitionWords(one)] as const)]}
      />
      <ModeAndStream name={`${o.name}:`} mode="event" stream="main" audio />
    </div>
  );
}

export function ModeAndStream(o: { name: string; mode: string; stream: string; audio: boolean }) {
  const modes = (['event', 'continuous', 'both'] as const).map((one) => [one, t(`cloud.mode.${one}`)] as const);
  const streams = (['main', 'sub', 'adaptive'] as const).map((one) => [one, t(`cloud.stream.${one}`)] as const);
  return (
    <>
      <Choice label={t('cloud.modeLabel')} name={`${o.name}mode`} value={o.mode} options={modes} />
      <Choice label={t('cloud.streamLabel')} name={`${o.name}stream`} value={o.stream} options={streams} />
      <label class="flex min-h-11 items-center gap-3">
        <input type="checkbox" class="checkbox" name={`${o.name}audio`} value="true" defaultChecked={o.audio} />
        {t('cloud.audio')}
      </label>
    </>
  );
}
