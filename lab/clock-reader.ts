/** Raw pixels: gray (1), RGB (3) or RGBA (4 bytes a pixel), rows without padding. */
export interface Frame {
  data: Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
  channels: 1 | 3 | 4;
}

const START = '1010';
const END = '101';
const VALUE_BITS = 41;
const CELLS = START.length + VALUE_BITS + 8 + END.length;
const GRID = 64;
const FIRST_COLUMN = 4;
/** Less between black and white is no clock. */
const MIN_CONTRAST = 64;

/**
 * Reads the machine-readable clock of a camera's picture (layout: lab/camera/picture.py): Unix milliseconds at which the
 * picture was drawn, or null when there is none or it is too damaged to be trusted. Works at any size and in a browser.
 */
export function readClock(frame: Frame): number | null {
  const cells = Array.from({ length: CELLS }, (_, i) => brightness(frame, FIRST_COLUMN + i));
  const sync = [...START].map((bit, i) => [bit, cells[i]!] as const);
  sync.push(...[...END].map((bit, i) => [bit, cells[CELLS - END.length + i]!] as const));
  const mean = (bit: string) => {
    const values = sync.filter(([b]) => b === bit).map(([, value]) => value);
    return values.reduce((a, b) => a + b, 0) / values.length;
  };
  const [white, black] = [mean('1'), mean('0')];
  if (white - black < MIN_CONTRAST) return null;
  const bits = cells.map((value) => (value > (white + black) / 2 ? '1' : '0')).join('');
  if (!bits.startsWith(START) || !bits.endsWith(END)) return null;
  const value = Number.parseInt(bits.slice(START.length, START.length + VALUE_BITS), 2);
  const check = Number.parseInt(bits.slice(START.length + VALUE_BITS, -END.length), 2);
  return crc8(value) === check ? value : null;
}

/** Mean over the inner half of one cell, so that soft edges do not count. */
function brightness({ data, width, height, channels }: Frame, column: number): number {
  const cell = width / GRID;
  const middle = height / 30 + cell;
  let sum = 0;
  let count = 0;
  for (let y = Math.floor(middle - cell / 2); y < Math.max(middle + cell / 2, Math.floor(middle - cell / 2) + 1); y++) {
    const from = Math.floor((column + 0.25) * cell);
    for (let x = from; x < Math.max((column + 0.75) * cell, from + 1); x++) {
      // Of black and white, any colour says the same; with RGB take green.
      sum += data[(y * width + x) * channels + (channels === 1 ? 0 : 1)] ?? 0;
      count++;
    }
  }
  return sum / count;
}

/** CRC-8, polynomial 0x07, over the value as six bytes, highest first. */
function crc8(value: number): number {
  let crc = 0;
  for (let shift = 40; shift >= 0; shift -= 8) {
    crc ^= Math.floor(value / 2 ** shift) % 256;
    for (let i = 0; i < 8; i++) crc = (crc & 0x80 ? (crc << 1) ^ 0x07 : crc << 1) & 0xff;
  }
  return crc;
}
