import { useId, useRef, useState } from 'preact/hooks';
import type { Region, SettingField } from '../../../protocol/wire/operations.ts';
import { t } from '../../components/i18n.ts';

const WHOLE: Region = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];
const MIDDLE: Region = [
  [0.25, 0.25],
  [0.75, 0.25],
  [0.75, 0.75],
  [0.25, 0.75],
];
type Corner = readonly [number, number];
const round = (n: number): number => Math.round(Math.min(1, Math.max(0, n)) * 1000) / 1000;

/** A rectangle from two opposite corners. */
const rectangle = ([x1, y1]: Corner, [x2, y2]: Corner): Region => {
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
  /** Both corners of what is being drawn. */
  const [drawn, setDrawn] = useState<readonly [Corner, Corner] | null>(null);
  const max = field.maxRegions;
  const full = regions.length >= max;
  const point = (event: PointerEvent): Corner => {
    const box = frame.current!.getBoundingClientRect();
    return [round((event.clientX - box.left) / box.width), round((event.clientY - box.top) / box.height)];
  };
  // Where there is room for one, another one takes its place.
  const add = (region: Region) => setRegions((old) => (max === 1 ? [region] : [...old, region].slice(0, max)));
  const put = (at: number, region: Region) => setRegions((old) => old.map((one, i) => (i === at ? region : one)));
  return (
    <fieldset class="flex flex-col gap-2">
      <legend class="font-semibold">{label}</legend>
      <input type="hidden" name={name} value={JSON.stringify(regions)} />
      <p class="muted small">
        {t('operations.regionsHint', { max })} {full && max > 1 && t('operations.regionsFull')}
      </p>
      <div
        ref={frame}
        class="relative aspect-video w-full max-w-xl touch-none overflow-hidden rounded bg-base-200"
        onPointerDown={(event) => {
          if (full && max > 1) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrawn([point(event), point(event)]);
        }}
        onPointerMove={(event) => drawn && setDrawn([drawn[0], point(event)])}
        onPointerUp={(event) => {
          if (!drawn) return;
          const [from, to] = [drawn[0], point(event)];
          setDrawn(null);
          // A tap is no area.
          if (Math.abs(to[0] - from[0]) > 0.02 && Math.abs(to[1] - from[1]) > 0.02) add(rectangle(from, to));
        }}
        onPointerCancel={() => setDrawn(null)}
      >
        {picture && <img src={picture} alt="" class="h-full w-full object-fill" draggable={false} />}
        <svg
          viewBox="0 0 1 1"
          preserveAspectRatio="none"
          class="pointer-events-none absolute inset-0 h-full w-full"
          aria-hidden="true"
        >
          {[...regions, ...(drawn ? [rectangle(...drawn)] : [])].map((region, i) => (
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
        <ul class="flex max-w-xl flex-col gap-3">
          {regions.map((region, i) => (
            <li key={String(i)}>
              <div class="flex items-center justify-between gap-4">
                <span id={`${id}-${i}`}>{t('operations.region', { n: i + 1, area: percent(region) })}</span>
                <button
                  type="button"
                  class="link shrink-0"
                  onClick={() => setRegions((old) => old.filter((_, k) => k !== i))}
                >
                  {t('operations.regionRemove')}
                  <span class="sr-only"> {i + 1}</span>
                </button>
              </div>
              {isRectangle(region) && <Edges region={region} of={`${id}-${i}`} put={(next) => put(i, next)} />}
            </li>
          ))}
        </ul>
      )}
      {!full && (
        <div class="flex flex-wrap gap-2">
          <button type="button" class="btn" onClick={() => add(MIDDLE)}>
            {t('operations.regionMiddle')}
          </button>
          <button type="button" class="btn" onClick={() => add(WHOLE)}>
            {t('operations.regionWhole')}
          </button>
        </div>
      )}
    </fieldset>
  );
}

const isRectangle = (region: Region): boolean =>
  region.length === 4 && new Set(region.map(([x]) => x)).size === 2 && new Set(region.map(([, y]) => y)).size === 2;
const EDGES = ['left', 'top', 'right', 'bottom'] as const;

/** The edges of a rectangle in per cent, for who types them. */
function Edges({ region, of, put }: { region: Region; of: string; put: (region: Region) => void }) {
  const xs = region.map(([x]) => x);
  const ys = region.map(([, y]) => y);
  const at = { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
  return (
    <fieldset class="mt-1 grid grid-cols-4 gap-2" aria-labelledby={of}>
      {EDGES.map((edge) => (
        <label key={edge} class="flex flex-col">
          <span class="small">{t(`operations.regionEdge.${edge}`)} (%)</span>
          <input
            type="number"
            class="input px-2"
            min={0}
            max={100}
            step="any"
            value={Math.round(at[edge] * 1000) / 10}
            onChange={(event) => {
              const next = { ...at, [edge]: round(Number(event.currentTarget.value) / 100) };
              put(rectangle([next.left, next.top], [next.right, next.bottom]));
            }}
          />
        </label>
      ))}
    </fieldset>
  );
}

/** From left and top to right and bottom, in per cent. */
function percent(region: Region): string {
  const xs = region.map(([x]) => Math.round(x * 100));
  const ys = region.map(([, y]) => Math.round(y * 100));
  return `${Math.min(...xs)}–${Math.max(...xs)} % × ${Math.min(...ys)}–${Math.max(...ys)} %`;
}
