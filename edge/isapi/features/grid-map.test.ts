import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gridRegions, gridSize, readGridMap, regionsGrid, wholeGrid, writeGridMap } from './grid-map.ts';

describe('a map of cells', () => {
  it('of the whole picture is as devices write it', () => {
    expect(writeGridMap(wholeGrid(18, 22))).toBe('fffffc'.repeat(18));
    expect(writeGridMap(wholeGrid(15, 22))).toHaveLength(90);
  });

  it('is read with whatever stands in its padding, cut off, or as nonsense', () => {
    expect(readGridMap('fffffe'.repeat(18), 18, 22)).toEqual(wholeGrid(18, 22));
    expect(readGridMap('FFFFFC'.repeat(18), 18, 22)).toEqual(wholeGrid(18, 22));
    expect(readGridMap('fffffc', 18, 22).cells.filter(Boolean)).toHaveLength(22);
    expect(readGridMap('zz', 2, 4).cells.some(Boolean)).toBe(false);
    expect(gridSize('0'.repeat(90), Number.NaN, 22)).toEqual({ rows: 15, columns: 22 });
    expect(gridSize('', 0, 0)).toEqual({ rows: 18, columns: 22 });
  });

  it('goes to areas and back without loss', () => {
    const size = fc.tuple(fc.constantFrom(15, 18, 3), fc.constantFrom(22, 4, 5));
    fc.assert(
      fc.property(
        size.chain(([rows, columns]) =>
          fc
            .array(fc.boolean(), { minLength: rows * columns, maxLength: rows * columns })
            .map((cells) => ({ rows, columns, cells })),
        ),
        (grid) => {
          expect(readGridMap(writeGridMap(grid), grid.rows, grid.columns)).toEqual(grid);
          const regions = gridRegions(grid, 1_000);
          expect(regionsGrid(regions, grid.rows, grid.columns)).toEqual(grid);
        },
      ),
      { numRuns: 50 },
    );
    expect(gridRegions(wholeGrid(18, 22))).toEqual([
      [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ],
    ]);
  });
});
