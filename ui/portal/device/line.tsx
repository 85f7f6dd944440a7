import { useRef, useState } from 'preact/hooks';
import type { SettingField } from '../../../protocol/wire/operations.ts';
import { t } from '../../components/i18n.ts';
import { fieldWord } from './words.ts';

/** Both ends of a line in per cent of the picture, from its upper left; as a device's fields are called. */
export const LINE_FIELDS = ['lineFromX', 'lineFromY', 'lineToX', 'lineToY'] as const;
type Ends = Record<(typeof LINE_FIELDS)[number], number>;
const STEP = 1;
const FAST = 10;
const KEYS: Record<string, [number, number]> = {
  ...{ ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] },
};
const clamp = (n: number): number => Math.round(Math.min(100, Math.max(0, n)) * 10) / 10;

export const isLine = (fields: readonly SettingField[]): boolean =>
  LINE_FIELDS.every((name) => fields.some((field) => field.name === name && field.kind === 'number'));

/** A line on the picture: drawn with a finger or mouse, its ends moved with arrow keys, or typed in per cent. */
export function Line({ fields, picture }: { fields: readonly SettingField[]; picture: string | null }) {
  const frame = useRef<HTMLDivElement>(null);
  const [ends, setEnds] = useState<Ends>(
    () =>
      Object.fromEntries(
        LINE_FIELDS.map((name) => {
          const field = fields.find((one) => one.name === name);
          return [name, field?.kind === 'number' ? (field.value ?? 50) : 50];
        }),
      ) as Ends,
  );
  const drawing = useRef(false);
  const point = (event: PointerEvent): [number, number] => {
    const box = frame.current!.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    return [clamp(x * 100), clamp(y * 100)];
  };
  const { lineFromX: x1, lineFromY: y1, lineToX: x2, lineToY: y2 } = ends;
  const set = (more: Partial<Ends>) => setEnds((old) => ({ ...old, ...more }));
  const move = (event: KeyboardEvent, [x, y]: readonly ['lineFromX' | 'lineToX', 'lineFromY' | 'lineToY']) => {
    const by = KEYS[event.key];
    if (!by) return;
    event.preventDefault();
    const times = event.shiftKey ? FAST : 1;
    setEnds((old) => ({ ...old, [x]: clamp(old[x] + by[0] * times), [y]: clamp(old[y] + by[1] * times) }));
  };
  return (
    <fieldset class="flex flex-col gap-2">
      <legend class="font-semibold">{t('operations.line.name')}</legend>
      <p class="muted small">{t('operations.line.hint')}</p>
      <div
        ref={frame}
        class="relative aspect-video w-full max-w-xl touch-none overflow-hidden rounded bg-base-200"
        onPointerDown={(event) => {
          // A knob is taken by itself; anywhere else a line begins.
          event.currentTarget.setPointerCapture(event.pointerId);
          drawing.current = true;
          const [x, y] = point(event);
          set({ lineFromX: x, lineFromY: y, lineToX: x, lineToY: y });
        }}
        onPointerMove={(event) => {
          if (!drawing.current) return;
          const [x, y] = point(event);
          set({ lineToX: x, lineToY: y });
        }}
        onPointerUp={() => {
          drawing.current = false;
        }}
        onPointerCancel={() => {
          drawing.current = false;
        }}
      >
        {picture && <img src={picture} alt="" class="h-full w-full object-fill" draggable={false} />}
        <svg
          viewBox="0 0 100 100"
          preserveAspectRatio="none"
          class="pointer-events-none absolute inset-0 h-full w-full"
          aria-hidden="true"
        >
          <line x1={x1} y1={y1} x2={x2} y2={y2} class="stroke-primary" stroke-width="1" />
        </svg>
        {(
          [
            ['lineFromX', 'lineFromY', x1, y1],
            ['lineToX', 'lineToY', x2, y2],
          ] as const
        ).map(([nameX, nameY, x, y]) => (
          <button
            key={nameX}
            type="button"
            class="absolute size-6 -translate-x-1/2 -translate-y-1/2 rounded-full border-2 border-primary bg-base-100"
            style={{ left: `${x}%`, top: `${y}%` }}
            aria-label={t(nameX === 'lineFromX' ? 'operations.line.begin' : 'operations.line.end', { x, y })}
            onKeyDown={(event) => move(event, [nameX, nameY])}
          />
        ))}
      </div>
      <div class="grid grid-cols-2 gap-3">
        {LINE_FIELDS.map((name) => (
          <label key={name} class="flex flex-col">
            <span>{fieldWord(name)} (%)</span>
            <input
              type="number"
              class="input mt-1"
              name={name}
              min={0}
              max={100}
              step="any"
              value={ends[name]}
              onInput={(event) => set({ [name]: Number(event.currentTarget.value) })}
            />
          </label>
        ))}
      </div>
    </fieldset>
  );
}
