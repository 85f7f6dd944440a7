import { useEffect, useRef } from 'preact/hooks';
import type { CloudSetupStarted } from '../../../protocol/wire/cloud.ts';
import { lookup, t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { say } from '../../components/say.ts';
import { useSite } from '../site/context.ts';

/** One press of the button: the job of what was taken, and what was refused. */
export type Begun = CloudSetupStarted & {
  channels: { name: string; host: string; httpPort: number; channel: number }[];
};

/** Every job that was begun here, and what the last try left out; where the person is who pressed the button. */
export function Started({ done }: { done: readonly Begun[] }) {
  const { base } = useSite();
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (done.length > 0) ref.current?.focus();
  }, [done.length]);
  return (
    <div ref={ref} role="status" tabIndex={-1} class={done.length > 0 ? 'panel flex flex-col gap-2' : undefined}>
      {done.map(
        ({ jobId, channels }) =>
          jobId && (
            <State key={jobId} level="working">
              {channels.map(({ name, channel }) => t('cloud.channelOf', { device: name, n: channel })).join('; ')}
              {': '}
              {t('cloud.begun')}{' '}
              <a class="link" href={`${base}/jobs/${jobId}`}>
                {t('cloud.follow')}
              </a>
            </State>
          ),
      )}
      {done.at(-1)?.refused.map(({ index, name, code, detail }) => (
        <State key={index} level="problem">
          <strong>{name}</strong>: {lookup(`problem.${code}.title`) ?? code}
          <span class="muted small block break-words">{say(detail)}</span>
        </State>
      ))}
      {(done.at(-1)?.refused.length ?? 0) > 0 && <p class="small">{t('cloud.refusedNext')}</p>}
    </div>
  );
}
