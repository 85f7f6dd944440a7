import { useEffect, useRef, useState } from 'preact/hooks';
import type { RecorderView } from '../../../protocol/wire/initialise.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { moved, placeAt } from './order.ts';

type Channel = RecorderView['channels'][number];

/** Of a field of a password, or of the relay's complaint that it is missing. */
const channelIn = (name: string): number | null => {
  const found = /(?:^|\.)passwords\.(\d+)$/.exec(name);
  return found ? Number(found[1]) : null;
};

/**
 * The channels of a recorder in their order, which a person changes by dragging (mouse or finger), by the arrow keys on the
 * handle, or by two buttons; written with “Complete” (CHAN-10).
 */
export function SortChannels({
  channels,
  sortable,
  opened,
  save,
}: {
  channels: readonly Channel[];
  sortable: boolean;
  /** Right after channels were added it takes the focus (CHAN-11). */
  opened: boolean;
  save: (order: number[], passwords: { channel: number; password: string }[]) => Promise<void>;
}) {
  const [order, setOrder] = useState(channels);
  const [said, setSaid] = useState('');
  const [dragged, setDragged] = useState<number | null>(null);
  const list = useRef<HTMLOListElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const sort = useAction(async (fields: Record<string, string> = {}) => {
    const passwords = Object.entries(fields).flatMap(([name, password]) => {
      const channel = channelIn(name);
      return channel === null ? [] : [{ channel, password }];
    });
    await save(
      order.map((one) => one.channel),
      passwords,
    );
    setSaid(t('recorder.sorted'));
  });
  const many = sortable && channels.length > 1;
  // What the recorder has now, after each answer of it.
  useEffect(() => setOrder(channels), [channels]);
  useEffect(() => {
    if (opened && many) heading.current?.focus();
  }, [opened, many]);
  // The recorder forgets them; those that it was not given from here are asked for.
  const missing = (sort.error?.fields ?? []).flatMap(({ path }) => {
    const of = channels.find((one) => one.channel === channelIn(path));
    return of ? [of] : [];
  });
  const move = (from: number, to: number) => {
    if (to < 0 || to >= order.length || to === from) return;
    setOrder(moved(order, from, to));
    setSaid(t('recorder.moved', { name: order[from]!.name, to: to + 1, of: order.length }));
  };
  const follow = (event: PointerEvent) => {
    if (dragged === null || !list.current) return;
    const edges = [...list.current.children].map((row) => row.getBoundingClientRect());
    const to = placeAt(event.clientY, edges);
    if (to === dragged) return;
    move(dragged, to);
    setDragged(to);
  };
  return (
    <div class="flex flex-col gap-3">
      {many && (
        <>
          <h3 ref={heading} tabIndex={-1} class="font-semibold">
            {t('recorder.sort')}
          </h3>
          <p>{t('recorder.sortText')}</p>
          <p class="muted small">{t('recorder.sortUnverified')}</p>
        </>
      )}
      {!sortable && channels.length > 1 && <p class="muted">{t('recorder.notSortable')}</p>}
      <ProblemPanel error={sort.error} what={t('recorder.sortFailed')} focus />
      {missing.length > 0 && (
        <Form label={t('recorder.sortPasswords')} onSubmit={(fields) => sort.run(fields)}>
          {missing.map((one) => (
            <Field
              key={one.channel}
              label={t('recorder.password', { address: one.address ?? one.name })}
              name={`passwords.${one.channel}`}
              type="password"
              required
              maxLength={128}
              autoComplete="off"
            />
          ))}
          <Submit busy={sort.busy} doing={t('recorder.completing')}>
            {t('recorder.complete')}
          </Submit>
        </Form>
      )}
      <ol ref={list} class="flex flex-col divide-y divide-base-300">
        {order.map((one, i) => (
          <li key={one.channel} class={`flex min-h-12 items-center gap-2 py-1 ${dragged === i ? 'bg-base-200' : ''}`}>
            {many && (
              <button
                type="button"
                class="btn touch-none cursor-grab px-3"
                aria-label={t('recorder.drag', { name: one.name })}
                onPointerDown={(event) => {
                  event.currentTarget.setPointerCapture(event.pointerId);
                  setDragged(i);
                }}
                onPointerMove={follow}
                onPointerUp={() => setDragged(null)}
                onPointerCancel={() => setDragged(null)}
                onKeyDown={(event) => {
                  const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
                  if (step === 0) return;
                  event.preventDefault();
                  move(i, i + step);
                }}
              >
                <span aria-hidden="true">≡</span>
              </button>
            )}
            <span class="muted w-6 shrink-0 text-right tabular-nums">{i + 1}</span>
            <span class="min-w-0 grow">
              {one.name} {one.address && <span class="mono muted small">{one.address}</span>}
              {one.online !== null && (
                <span class="block">
                  <State level={one.online ? 'well' : 'problem'}>
                    {t(one.online ? 'recorder.online' : 'recorder.offline')}
                  </State>
                </span>
              )}
            </span>
            {many && (
              <span class="flex shrink-0 gap-1">
                <button
                  type="button"
                  class="btn px-3"
                  aria-label={t('recorder.up', { name: one.name })}
                  aria-disabled={i === 0}
                  onClick={() => move(i, i - 1)}
                >
                  <span aria-hidden="true">↑</span>
                </button>
                <button
                  type="button"
                  class="btn px-3"
                  aria-label={t('recorder.down', { name: one.name })}
                  aria-disabled={i === order.length - 1}
                  onClick={() => move(i, i + 1)}
                >
                  <span aria-hidden="true">↓</span>
                </button>
              </span>
            )}
          </li>
        ))}
      </ol>
      <p role="status" class="small empty:hidden">
        {said}
      </p>
      {many && missing.length === 0 && (
        <p>
          <button type="button" class="btn btn-primary" aria-disabled={sort.busy} onClick={() => sort.run()}>
            {t(sort.busy ? 'recorder.completing' : 'recorder.complete')}
          </button>
        </p>
      )}
    </div>
  );
}
