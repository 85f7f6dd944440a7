import { useId, useRef, useState } from 'preact/hooks';
import type { Region, SettingField } from '../../../protocol/wire/operations.ts';
import { t } from '../../components/i18n.ts';

const WHOLE: Region = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];
const round = (n: number): number => Math.round(Math.min(1, Math.max(0, n)) * 1000) / 1000;

/** A rectangle from two opposite corners. */
const rectangle = ([x1, y1]: readonly [number, number], [x2, y2]: readonly [number, number]): Region => {
  const [left, right, top, bottom] = [Math.min(x1, x2), Math.max(x1, x2), Math.min(y1, y2), Math.max(y1, y2)];
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
};

/** Areas of the picture, drawn on it with a finger or mouse, or typed as numbers in per cent. */
export function Regions({
  name,
  label,
  field,
  picture,
}: {
  name: string;
  label: string;
  field: Extract<SettingField, { kind: 'regions' }>;
  picture: string | null;
}) {
  const id = useId();
  const frame = useRef<HTMLDivElement>(null);
  const [regions, setRegions] = useState<Region[]>(field.value);
  const [from, setFrom] = useState<[number, number] | null>(null);
  const full = regions.length >= field.maxRegions;
  const point = (event: PointerEvent): [number, number] => {
    const box = frame.current!.getBoundingClientRect();
    return [round((event.clientX - box.left) / box.width), round((event.clientY - box.top) / box.height)];
  };
  const add = (region: Region) => setRegions((old) => [...old, region].slice(0, field.maxRegions));
  return (
    <fieldset class="flex flex-col gap-2">
      <legend class="font-semibold">{label}</legend>
      <input type="hidden" name={name} value={JSON.stringify(regions)} />
      <p class="muted small" id={`${id}-hint`}>
        {t('operations.regionsHint', { max: field.maxRegions })}
      </p>
      <div
        ref={frame}
        class="relative aspect-video w-full max-w-xl touch-none overflow-hidden rounded bg-base-200"
        onPointerDown={(event) => {
          if (full) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setFrom(point(event));
        }}
        onPointerUp={(event) => {
          if (!from) return;
          const to = point(event);
          setFrom(null);
          // A tap is no area.
          if (Math.abs(to[0] - from[0]) > 0.02 && Math.abs(to[1] - from[1]) > 0.02) add(rectangle(from, to));
        }}
      >
        {picture && <img src={picture} alt="" class="h-full w-full object-fill" draggable={false} />}
        <svg viewBox="0 0 1 1" preserveAspectRatio="none" class="absolute inset-0 h-full w-full" aria-hidden="true">
          {regions.map((region, i) => (
            <polygon
              key={String(i)}
              points={region.map((corner) => corner.join(',')).join(' ')}
              class="fill-primary/30 stroke-primary"
              stroke-width="0.006"
            />
          ))}
        </svg>
      </div>
      {regions.length > 0 && (
        <ul class="flex flex-col gap-1">
          {regions.map((region, i) => (
            <li key={String(i)} class="flex items-center justify-between gap-4">
              <span>{t('operations.region', { n: i + 1, area: percent(region) })}</span>
              <button type="button" class="link" onClick={() => setRegions((old) => old.filter((_, k) => k !== i))}>
                {t('operations.regionRemove')}
                <span class="sr-only"> {i + 1}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {!full && (
        <div>
          <button type="button" class="btn" onClick={() => add(WHOLE)}>
            {t('operations.regionWhole')}
          </button>
        </div>
      )}
    </fieldset>
  );
}

/** From left and top to right and bottom, in per cent. */
function percent(region: Region): string {
  const xs = region.map(([x]) => Math.round(x * 100));
  const ys = region.map(([, y]) => Math.round(y * 100));
  return `${Math.min(...xs)}–${Math.max(...xs)} % × ${Math.min(...ys)}–${Math.max(...ys)} %`;
}
