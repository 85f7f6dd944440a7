import type { CloudDevice, CloudStock } from '../../../protocol/wire/cloud.ts';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { useResource } from '../../components/resource.ts';
import { api } from '../session.ts';
import { allowed, recommendedOf, type Shares } from './room.ts';
import { definitionWords, packageKey } from './words.ts';

const MODES = ['event', 'continuous', 'both'] as const;

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
        params: { deviceId, section: 'video' },
        query: { channel, stream: 1 },
        signal,
      });
      const field = fields.find((one) => one.name === 'resolution');
      return field?.kind === 'choice' ? field.options.filter((one) => /^\d+x\d+$/.test(one)) : [];
    },
    [at?.deviceId, at?.channel],
  );
  return found.data ?? [];
}

/** The packages that one line of the wizard can have, with how many of each are left beside it. */
export interface PackageChoice {
  value: string | undefined;
  options: readonly (readonly [value: string, text: string, disabled: boolean])[];
  pick: (value: string) => void;
}

export function packageChoice(
  shares: Shares,
  stock: readonly CloudStock[],
  { key, packages }: { key: string; packages: number },
  pick: (value: string) => void,
): PackageChoice {
  const value = shares.of.get(key);
  const options = stock.flatMap((one) => {
    const kind = packageKey(one);
    if (one.remaining <= 0) return [];
    const count = (shares.left.get(kind) ?? 0) + (kind === value ? packages : 0);
    return [
      [kind, t(`cloud.packageOption.${one.term}`, { days: one.retentionDays, n: count }), count < packages] as const,
    ];
  });
  return { value, options, pick };
}

/**
 * What one channel gets: package, definition, kind and stream. `packages` null: it is paid already. `fits`: the best
 * definition that the uplink takes.
 */
export function ChannelFields(o: {
  name: string;
  at: At | null;
  packages: PackageChoice | null;
  device: CloudDevice | undefined;
  fits: string | undefined;
}) {
  const definitions = allowed(useDefinitions(o.at), o.device);
  const best = recommendedOf(definitions, o.fits);
  const words = (one: string) =>
    one === best ? t('cloud.recommended', { definition: definitionWords(one) }) : definitionWords(one);
  return (
    <div class="mb-3 grid max-w-2xl gap-4 sm:grid-cols-2">
      {o.packages && o.packages.value !== undefined && (
        <Choice
          label={t('cloud.packageChoice')}
          name={`${o.name}:package`}
          value={o.packages.value}
          options={o.packages.options}
          onChange={o.packages.pick}
        />
      )}
      {o.packages && o.packages.value === undefined && (
        <State level="problem">{t(o.packages.options.length > 0 ? 'cloud.tooFew' : 'cloud.noneLeftShort')}</State>
      )}
      <Choice
        label={t('cloud.definition')}
        name={`${o.name}:definition`}
        options={[['', t('cloud.asIs')] as const, ...definitions.map((one) => [one, words(one)] as const)]}
      />
      <ModeAndStream name={`${o.name}:`} mode="event" stream="main" audio motionOnly={o.device?.motionOnly ?? false} />
    </div>
  );
}

export function ModeAndStream(o: { name: string; mode: string; stream: string; audio: boolean; motionOnly: boolean }) {
  const modes = MODES.filter((one) => one === 'event' || !o.motionOnly).map(
    (one) => [one, t(`cloud.mode.${one}`)] as const,
  );
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
