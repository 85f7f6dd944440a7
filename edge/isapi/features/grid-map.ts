import type { Region } from '../../../protocol/wire/operations.ts';
import { inRegion } from '../../drivers/regions.ts';

/** Cells of a picture, row by row from the upper left. */
export interface Grid {
  rows: number;
  columns: number;
  cells: boolean[];
}

const digitsPerRow = (columns: number): number => Math.ceil(columns / 4);

/**
 * A gridMap (isapi.md §9): rows × ceil(columns / 4) hex digits, the highest bit is the leftmost cell. Bits behind the last
 * column are padding; devices set them at will, so they are not looked at. A map that is cut off is empty from there on.
 */
export function readGridMap(hex: string, rows: number, columns: number): Grid {
  const width = digitsPerRow(columns);
  const cells: boolean[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const digit = Number.parseInt(hex[row * width + Math.floor(column / 4)] ?? '0', 16);
      cells.push(((digit >> (3 - (column % 4))) & 1) === 1);
    }
  }
  return { rows, columns, cells };
}

export function writeGridMap({ rows, columns, cells }: Grid): string {
  let hex = '';
  for (let row = 0; row < rows; row++) {
    for (let digit = 0; digit < digitsPerRow(columns); digit++) {
      let bits = 0;
      for (let bit = 0; bit < 4; bit++) {
        const column = digit * 4 + bit;
        if (column < columns && cells[row * columns + column]) bits |= 8 >> bit;
      }
      hex += bits.toString(16);
    }
  }
  return hex;
}

/** Rows and columns of a map: as the device says, otherwise by its length (18×22 and 15×22 are in use). */
export function gridSize(hex: string, rows: number, columns: number): { rows: number; columns: number } {
  const wide = Number.isInteger(columns) && columns > 0 && columns <= 256 ? columns : 22;
  const high = Number.isInteger(rows) && rows > 0 && rows <= 256 ? rows : hex.length === 90 ? 15 : 18;
  return { rows: high, columns: wide };
}

/** The cells as rectangles, each as wide and then as high as it goes; at most `most`, the largest ones. */
export function gridRegions({ rows, columns, cells }: Grid, most = 32): Region[] {
  const left = [...cells];
  const found: { area: number; region: Region }[] = [];
  const full = (row: number, from: number, to: number) => {
    for (let c = from; c < to; c++) if (!left[row * columns + c]) return false;
    return true;
  };
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (!left[row * columns + column]) continue;
      let right = column + 1;
      while (right < columns && left[row * columns + right]) right++;
      let bottom = row + 1;
      while (bottom < rows && full(bottom, column, right)) bottom++;
      for (let r = row; r < bottom; r++) left.fill(false, r * columns + column, r * columns + right);
      const [x1, x2, y1, y2] = [column / columns, right / columns, row / rows, bottom / rows];
      const region: Region = [
        [x1, y1],
        [x2, y1],
        [x2, y2],
        [x1, y2],
      ];
      found.push({ area: (right - column) * (bottom - row), region });
    }
  }
  found.sort((a, b) => b.area - a.area);
  return found.slice(0, most).map(({ region }) => region);
}

/** The cells whose middle lies in one of the polygons. */
export function regionsGrid(regions: readonly Region[], rows: number, columns: number): Grid {
  const cells: boolean[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [x, y] = [(column + 0.5) / columns, (row + 0.5) / rows];
      cells.push(regions.some((region) => inRegion(region, x, y)));
    }
  }
  return { rows, columns, cells };
}

export const wholeGrid = (rows: number, columns: number): Grid => ({
  rows,
  columns,
  cells: Array.from({ length: rows * columns }, () => true),
});
