import { describe, expect, it } from 'vitest';
import { salvage } from './pull-point.ts';
import { readNotification } from './topics.ts';
import { attribute, parseTree } from './tree.ts';

/** An answer is read in the process that all devices share: none may hold it up. */
const QUICK_MS = 500;

function quick<T>(fn: () => T): T {
  const begun = performance.now();
  const result = fn();
  expect(performance.now() - begun).toBeLessThan(QUICK_MS);
  return result;
}

describe('an answer that is made to take long', () => {
  it.each([
    ['a name without a value', `<a ${'x'.repeat(200_000)}></a>`],
    ['names without values', `<a ${'x '.repeat(100_000)}></a>`],
    ['blanks behind a name', `<a x${' '.repeat(200_000)}></a>`],
    ['blanks', `<a ${' '.repeat(1_000_000)}></a>`],
    ['declarations', `<a${Array.from({ length: 5_000 }, (_, i) => ` xmlns:p${i}="u"`).join('')}><b/></a>`],
  ])('%s: none', (_, xml) => {
    expect(quick(() => parseTree(xml))).toBeNull();
  });

  it('many declarations below many others', () => {
    const declared = (n: number) => Array.from({ length: 200 }, (_, i) => ` xmlns:p${n}_${i}="u"`).join('');
    const open = Array.from({ length: 50 }, (_, n) => `<a${declared(n)}>`).join('');
    const xml = `${open}${'<b xmlns:q="u" q:x="1"/>'.repeat(20_000)}${'</a>'.repeat(50)}`;
    expect(quick(() => parseTree(xml))).not.toBeNull();
  });

  it('a topic of slashes', () => {
    const xml = `<N><Topic>a${'/'.repeat(200_000)}b</Topic><Message><Message/></Message></N>`;
    expect(quick(() => readNotification(parseTree(xml)!))).toBeNull();
  });

  it('many beginnings of a message and one end', () => {
    const body = Buffer.from(`${'<x:NotificationMessage>'.repeat(40_000)}</x:NotificationMessage>`);
    expect(quick(() => salvage(body))).toHaveLength(1);
  });
});

describe('attributes', () => {
  it('are read beside what is none', () => {
    const e = parseTree(`<a one = "1" two lost="" =' 3="x' three='<&amp;>' n:four="4"/>`)!;
    expect(['one', 'two', 'lost', 'three', 'four'].map((name) => attribute(e, name))).toEqual([
      '1',
      '',
      '',
      '<&>',
      '4',
    ]);
  });
});
