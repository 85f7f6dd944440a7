import { type Colour, png } from './png.ts';

/** The mark of the logo in its square of 32 units: a post with a pointed cap and two rails (ui/components/icons.tsx). */
const SHAPES: readonly (readonly (readonly [x: number, y: number])[])[] = [
  [
    [10, 2],
    [16, 7],
    [16, 30],
    [4, 30],
    [4, 7],
  ],
  [
    [18, 11],
    [30, 11],
    [30, 15],
    [18, 15],
  ],
  [
    [18, 20],
    [30, 20],
    [30, 24],
    [18, 24],
  ],
];
const GROUND = [0x28, 0x48, 0xa8] as const;
const INK = [0xff, 0xff, 0xff] as const;
/** Samples a pixel each way. */
const FINE = 4;

interface Shape {
  /** How much of the width the mark takes. */
  mark: number;
  /** Radius of the ground's corners, as part of the width; 0 fills the square. */
  corner: number;
}

/** The application's icons. A maskable one keeps its mark within the inner circle of 80 %, whatever is cut off. */
export const ICONS: Record<string, Shape & { size: number }> = {
  'icon-192.png': { size: 192, mark: 0.62, corner: 0.2 },
  'icon-512.png': { size: 512, mark: 0.62, corner: 0.2 },
  'maskable-192.png': { size: 192, mark: 0.48, corner: 0 },
  'maskable-512.png': { size: 512, mark: 0.48, corner: 0 },
  'apple-touch-icon.png': { size: 180, mark: 0.56, corner: 0 },
};

export function icon({ size, mark, corner }: Shape & { size: number }): Buffer {
  const unit = (size * mark) / 32;
  // The drawing is 26 wide and 28 high: in the middle, not its square.
  const left = size / 2 - 17 * unit;
  const top = size / 2 - 16 * unit;
  const radius = size * corner;
  const inGround = (x: number, y: number) => {
    const dx = Math.max(radius - x, x - (size - radius), 0);
    const dy = Math.max(radius - y, y - (size - radius), 0);
    return dx * dx + dy * dy <= radius * radius || radius === 0;
  };
  return png(size, (px, py): Colour => {
    let ground = 0;
    let ink = 0;
    for (let i = 0; i < FINE * FINE; i++) {
      const x = px + ((i % FINE) + 0.5) / FINE;
      const y = py + (Math.floor(i / FINE) + 0.5) / FINE;
      if (!inGround(x, y)) continue;
      ground++;
      if (SHAPES.some((shape) => inside(shape, (x - left) / unit, (y - top) / unit))) ink++;
    }
    if (ground === 0) return [0, 0, 0, 0];
    const part = ink / ground;
    const mix = (n: 0 | 1 | 2) => INK[n] * part + GROUND[n] * (1 - part);
    return [mix(0), mix(1), mix(2), (255 * ground) / (FINE * FINE)];
  });
}

/** Even-odd rule. */
function inside(shape: readonly (readonly [number, number])[], x: number, y: number): boolean {
  let within = false;
  for (let i = 0, j = shape.length - 1; i < shape.length; j = i++) {
    const [ax, ay] = shape[i]!;
    const [bx, by] = shape[j]!;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within;
  }
  return within;
}
