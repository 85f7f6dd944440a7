import type { CloudChannel, CloudPackage, CloudService, CloudSetUp } from '../../../protocol/wire/cloud.ts';
import { lookup, t } from '../../components/i18n.ts';
import type { Level } from '../../components/icons.tsx';
import { INSTALLERS } from '../route.tsx';
import { me } from '../session.ts';

export const packageWords = ({ retentionDays, term }: CloudPackage): string =>
  t(`cloud.package.${term}`, { days: retentionDays });
export const packageKey = ({ retentionDays, term }: CloudPackage): string => `${retentionDays} ${term}`;
export const definitionWords = (definition: string): string => definition.replace('x', ' × ');

export const isPaid = ({ service }: CloudChannel): boolean =>
  service?.state === 'active' || service?.state === 'expiring';

/** Packages are an installer's: others have theirs set up. */
export const isInstaller = (): boolean => INSTALLERS.some((type) => type === me.value?.company.type);

/**
 * What keeps a channel from making clips although it is switched on and paid (CLOUD-09), the worst first. Motion is to be told of; another
 * event that is merely off is not missed while one of them makes clips.
 */
export function silences({ recording, mode, triggers, silent }: CloudChannel): [Level, string][] {
  if (!recording || mode === 'continuous') return [];
  const own = silent.filter(({ trigger }) => triggers.includes(trigger));
  const none = triggers.every((trigger) => own.some((one) => one.trigger === trigger));
  return own
    .filter(({ trigger, why }) => none || trigger === 'motion' || why !== 'enabled')
    .map(({ trigger, why }): [Level, string] => [
      none || (trigger === 'motion' && why !== 'enabled') ? 'problem' : 'attention',
      t(`cloud.silent.${why}`, { event: t(`cloud.trigger.${trigger}`) }),
    ])
    .sort(([a], [b]) => Number(b === 'problem') - Number(a === 'problem'));
}

/** Whether a channel is recorded, and if not why. */
export function channelState({ recording, enabled, service, setUp }: CloudChannel): [Level, string] {
  if (setUp.state === 'running') return ['working', t('cloud.setUpState.running')];
  // Paid and switched on, but no box has seen to it that the device sends what is expected of it.
  if (recording && setUp.state === 'never') return ['attention', t('cloud.setUpState.never')];
  if (recording && setUp.state === 'failed')
    return ['problem', t('cloud.setUpState.failed', { why: whyFailed(setUp) })];
  if (recording)
    return service?.state === 'expiring'
      ? ['attention', t('cloud.state.expiring')]
      : ['well', t('cloud.state.recording')];
  if (!enabled) return ['info', t('cloud.state.off')];
  if (service?.ended) return ['info', t(`services.ended.${service.ended}`)];
  return ['problem', t(service ? 'cloud.state.expired' : 'cloud.state.unpaid')];
}

/** What failed in a set-up, as a sentence. */
export function whyFailed({ code }: Pick<CloudSetUp, 'code'>): string {
  const words = lookup(`jobs.code.${code}`) ?? lookup(`problem.${code}.title`) ?? t('problem.other.title');
  return /[.!?]$/.test(words) ? words : `${words}.`;
}

export const SERVICE_LEVEL: Record<CloudService['state'], Level> = {
  active: 'well',
  expiring: 'attention',
  expired: 'problem',
  ended: 'info',
};
