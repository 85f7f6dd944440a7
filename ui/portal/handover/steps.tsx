import type { TransferStatus } from '../../../protocol/wire/handover.ts';
import { t } from '../../components/i18n.ts';
import { type Level, Mark } from '../../components/icons.tsx';

interface Step {
  title: string;
  text: string;
  state: 'done' | 'now' | 'later';
}

/** The three steps of a handover; null for a site that goes another way. */
export function stepsOf({ status, transfer, owner }: TransferStatus): Step[] | null {
  if (status === 'shared' || status === 'disbanded') return null;
  const at = owner ? 2 : status === 'not-handed-over' ? 0 : 1;
  const state = (step: number): Step['state'] => (step < at ? 'done' : step === at ? 'now' : 'later');
  const to = transfer?.recipient;
  const sent = () => {
    if (at === 0) return t('handover.stepSentNotYet');
    if (at === 2) return to ? t('handover.stepSentDone', { to }) : t('handover.stepSentDoneQr');
    if (!to) return t('handover.stepSentQr');
    return t(status === 'not-registered' ? 'handover.stepSentNotRegistered' : 'handover.stepSentWaiting', { to });
  };
  const owned = status === 'authorized' ? 'handover.stepOwnedAuthorized' : 'handover.stepOwnedNot';
  return [
    {
      title: t('handover.stepInstalled'),
      text: at === 0 ? t('handover.stepInstalledText') : '',
      state: state(0),
    },
    { title: t('handover.stepSent'), text: sent(), state: state(1) },
    {
      title: t('handover.stepOwned'),
      text: owner ? t(owned, { name: owner.name }) : t('handover.stepOwnedNotYet'),
      state: state(2),
    },
  ];
}

const LEVEL: Record<Step['state'], Level> = { done: 'well', now: 'info', later: 'unknown' };

export function Steps({ state }: { state: TransferStatus }) {
  const steps = stepsOf(state);
  if (!steps) return null;
  return (
    <section class="panel" aria-label={t('handover.steps')} aria-live="polite">
      <ol class="grid gap-4 md:grid-cols-3">
        {steps.map((step) => (
          <li key={step.title} class="flex gap-3" aria-current={step.state === 'now' ? 'step' : undefined}>
            <span class="mt-1 shrink-0">
              <Mark level={step.state === 'now' && state.owner ? 'well' : LEVEL[step.state]} size={20} />
            </span>
            <span class={step.state === 'later' ? 'muted' : undefined}>
              <strong>{step.title}</strong>
              {step.state === 'now' && !state.owner && <span class="muted small"> ({t('handover.stepNow')})</span>}
              {step.text && <span class="block">{step.text}</span>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
