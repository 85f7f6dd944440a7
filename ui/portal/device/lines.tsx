import { useRef, useState } from 'preact/hooks';
import type { Region, SettingField } from '../../../protocol/wire/operations.ts';
import { t } from '../../components/i18n.ts';

/** In per cent of the picture, from its upper left: x and y of both ends. */
type Ends = [x1: number, y1: number, x2: number, y2: number];
const STEP = 1;
const FAST = 10;
const KEYS: Record<string, [number, number]> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};
const MIDDLE: Ends = [50, 10, 50, 90];
const WHERE = ['fromX', 'fromY', 'toX', 'toY'] as const;
const clamp = (n: number): number => Math.round(Math.min(100, Math.max(0, n)) * 10) / 10;
const endsOf = (line: Region): Ends => line.flat().map((n) => clamp(n * 100)) as Ends;
const lineOf = ([x1, y1, x2, y2]: Ends): Region => [
  [x1 / 100, y1 / 100],
  [x2 / 100, y2 / 100],
];

/** Lines on the picture: drawn with a finger or mouse, their ends moved with arrow keys, or typed in per cent. */
export function Lines({
  name,
  label,
  field,
  picture,
}: {
  name: string;
  label: string;
  field: Extract<SettingField, { kind: 'lines' }>;
  picture: string | null;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const [lines, setLines] = useState<Ends[]>(() => field.value.map(endsOf));
  /** Which one is being drawn. */
  const drawing = useRef<number | null>(null);
  const full = lines.length >= field.maxLines;
  // What was not touched goes back as it came, to the last digit.
  const value = lines.map((ends) => field.value.find((line) => String(endsOf(line)) === String(ends)) ?? lineOf(ends));
  const point = (event: PointerEvent): [number, number] => {
    const box = frame.current!.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    return [clamp(x * 100), clamp(y * 100)];
  };
  const edit = (index: number, change: (ends: Ends) => Ends) =>
    setLines((old) => old.map((ends, i) => (i === index ? (change(ends).map(clamp) as Ends) : ends)));
  const remove = (index: number) => setLines((old) => old.filter((_, i) => i !== index));
  const move = (event: KeyboardEvent, index: number, end: 0 | 2) => {
    const by = KEYS[event.key];
    if (!by) return;
    event.preventDefault();
    const times = event.shiftKey ? FAST : 1;
    edit(index, (ends) => ends.map((n, i) => (i === end || i === end + 1 ? n + by[i - end]! * times : n)) as Ends);
  };
  const drawn = () => {
    const index = drawing.current;
    drawing.current = null;
    // A tap is no line.
    if (index !== null)
      setLines((old) => old.filter(([x1, y1, x2, y2], i) => i !== index || Math.hypot(x2 - x1, y2 - y1) > 2));
  };
  return (
    <fieldset class="flex flex-col gap-2">
      <legend class="font-semibold">{label}</legend>
      <input type="hidden" name={name} value={JSON.stringify(value)} />
      <p class="muted small">{t(full ? 'operations.lines.full' : 'operations.lines.hint', { max: field.maxLines })}</p>
      <div
        ref={frame}
        class="relative aspect-video w-full max-w-xl touch-none overflow-hidden rounded bg-base-200"
        onPointerDown={(event) => {
          // A knob is taken by itself; the only line there may be is drawn anew.
          if (full && field.maxLines > 1) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          const [x, y] = point(event);
          drawing.current = full ? 0 : lines.length;
          setLines((old) => [...(full ? [] : old), [x, y, x, y]]);
        }}
        onPointerMove={(event) => {
          const [x, y] = point(event);
          if (drawing.current !== null) edit(drawing.current, ([x1, y1]) => [x1, y1, x, y]);
        }}
        onPointerUp={drawn}
        onPointerCancel={drawn}
      >
        {picture && <img src={picture} alt="" class="h-full w-full object-fill" draggable={false} />}
        <svg
          viewBox="0 0 100 100"
          preserveAspectRatio="none"
          class="pointer-events-none absolute inset-0 h-full w-full"
          aria-hidden="true"
        >
          {lines.map(([x1, y1, x2, y2], i) => (
            <line key={String(i)} x1={x1} y1={y1} x2={x2} y2={y2} class="stroke-primary" stroke-width="1" />
          ))}
        </svg>
        {lines.map((ends, i) =>
          ([0, 2] as const).map((end) => (
            <button
              key={`${i} ${end}`}
              type="button"
              class="absolute size-6 -translate-x-1/2 -translate-y-1/2 rounded-full border-2 border-primary bg-base-100 text-xs"
              style={{ left: `${ends[end]}%`, top: `${ends[end + 1]}%` }}
              aria-label={t(end === 0 ? 'operations.lines.begin' : 'operations.lines.end', {
                n: i + 1,
                x: ends[end],
                y: ends[end + 1]!,
              })}
              onKeyDown={(event) => move(event, i, end)}
              onPointerDown={(event) => event.stopPropagation()}
            >
              {field.maxLines > 1 && i + 1}
            </button>
          )),
        )}
      </div>
      {lines.map((ends, i) => (
        <div key={String(i)} class="flex flex-wrap items-end gap-x-4 gap-y-2">
          <span class="w-full font-semibold">{t('operations.lines.one', { n: i + 1 })}</span>
          {WHERE.map((where, k) => (
            <label key={where} class="flex flex-col">
              <span class="small">
                <span class="sr-only">{t('operations.lines.one', { n: i + 1 })}: </span>
                {t(`operations.lines.${where}`)} (%)
              </span>
              <input
                type="number"
                class="input mt-1 w-28"
                min={0}
                max={100}
                step="any"
                value={ends[k]}
                onInput={(event) => {
                  const typed = Number(event.currentTarget.value);
                  edit(i, (old) => old.map((n, at) => (at === k ? typed : n)) as Ends);
                }}
              />
            </label>
          ))}
          <button type="button" class="link min-h-11" onClick={() => remove(i)}>
            {t('operations.regionRemove')}
            <span class="sr-only"> {t('operations.lines.one', { n: i + 1 })}</span>
          </button>
        </div>
      ))}
      {!full && (
        <div>
          <button type="button" class="btn" onClick={() => setLines((old) => [...old, MIDDLE])}>
            {t('operations.lines.add')}
          </button>
        </div>
      )}
    </fieldset>
  );
}
