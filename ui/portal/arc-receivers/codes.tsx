import { USUAL_CODES } from '../../../protocol/wire/arc-codes.ts';
import type { ArcCode } from '../../../protocol/wire/desired.ts';
import { t } from '../../components/i18n.ts';
import { EVENT_TYPES } from '../site/event-types.ts';

const ROW =
  'grid grid-cols-3 items-center gap-2 border-b border-base-300 py-1 last:border-0 sm:grid-cols-[1fr_5rem_5rem_5rem]';
/** Stands in the field of an end that is not told. */
const NO_END = '-';

/** What each event is called at the receiver; an empty field is as usual, which stands in it in grey. */
export function CodeFields({ codes }: { codes: readonly ArcCode[] }) {
  const of = new Map(codes.map((code) => [code.type, code]));
  const input = (name: string, label: string, usual: string, value: string | undefined, pattern: string) => (
    <input
      class="input mono w-full"
      name={name}
      aria-label={label}
      placeholder={usual}
      defaultValue={value ?? ''}
      pattern={pattern}
      maxLength={3}
      autoComplete="off"
      spellcheck={false}
    />
  );
  return (
    <details class="flex flex-col gap-2">
      <summary class="cursor-pointer font-semibold">{t('arcReceiver.codes', { count: codes.length })}</summary>
      <p class="muted small my-2 max-w-prose">{t('arcReceiver.codesHint')}</p>
      {/* On a phone the three codes stand in one line below the event. */}
      <ul class="flex flex-col">
        <li aria-hidden="true" class={`${ROW} muted small`}>
          <span class="col-span-3 sm:col-span-1">{t('arcReceiver.event')}</span>
          <span>{t('arcReceiver.cid')}</span>
          <span>{t('arcReceiver.sia')}</span>
          <span>{t('arcReceiver.siaEnd')}</span>
        </li>
        {EVENT_TYPES.map((type) => {
          const own = of.get(type);
          const usual = USUAL_CODES[type];
          const event = t(`eventType.${type}`);
          const label = (what: string) => t('arcReceiver.codeOf', { what, event });
          const end = own?.siaEnd === null ? NO_END : own?.siaEnd;
          return (
            <li key={type} class={ROW}>
              <span class="col-span-3 sm:col-span-1">{event}</span>
              {input(`cid:${type}`, label(t('arcReceiver.cid')), usual.cid, own?.cid, '[1-9A-Fa-f][0-9]{2}')}
              {input(`sia:${type}`, label(t('arcReceiver.sia')), usual.sia, own?.sia, '[A-Za-z]{2}')}
              {input(`end:${type}`, label(t('arcReceiver.siaEnd')), usual.siaEnd ?? NO_END, end, '[A-Za-z]{2}|-')}
            </li>
          );
        })}
      </ul>
    </details>
  );
}

/** Only what differs. */
export const codesOf = (fields: Record<string, string>): ArcCode[] =>
  EVENT_TYPES.flatMap((type) => {
    const read = (name: string) => fields[`${name}:${type}`]?.trim().toUpperCase() || undefined;
    const [cid, sia, end] = [read('cid'), read('sia'), read('end')];
    if (!cid && !sia && !end) return [];
    return [
      {
        type,
        ...(cid && { cid }),
        ...(sia && { sia }),
        ...(end && { siaEnd: end === NO_END ? null : end }),
      } as ArcCode,
    ];
  });
