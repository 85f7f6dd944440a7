import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editXml, missingIn } from './edit-xml.ts';
import { optionsOf } from './features/fields.ts';
import { parseXml, text } from './xml.ts';
import { scanXml, textOf } from './xml-scan.ts';

const DOC = `\uFEFF<?xml version="1.0" encoding="UTF-8"?>\r
<!-- <enabled>no</enabled> -->\r
<StreamingChannel version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema" xmlns:x='urn:psialliance-org'>\r
  <id>101</id>\r
  <x:Video note="a > b"><x:enabled opt="true,false">true</x:enabled><SmartCodec/>\r
    <PacketType>PS</PacketType><PacketType>RTP</PacketType><name><![CDATA[<b>]]></name><unknown a='1' /></x:Video>\r
  <List size="0">\r
    <Item><id>1</id><on>true</on></Item>\r
    <Item><id>2</id><on>true</on></Item>\r
  </List>\r
  <Empty></Empty>\r
</StreamingChannel>\r
`;

describe("a device's document", () => {
  it('changes in the leaf that is meant and nowhere else', () => {
    expect(editXml(DOC, [{ path: ['Video', 'enabled'], value: 'false' }])).toBe(
      DOC.replace('opt="true,false">true<', 'opt="true,false">false<'),
    );
    expect(editXml(DOC, [{ path: ['Video', 'name'], value: 'a<&b' }])).toBe(
      DOC.replace('<![CDATA[<b>]]>', 'a&lt;&amp;b'),
    );
  });

  it('fills elements that were empty', () => {
    expect(editXml(DOC, [{ path: ['Video', 'unknown'], value: 'x' }])).toBe(
      DOC.replace("<unknown a='1' />", "<unknown a='1'>x</unknown>"),
    );
    expect(editXml(DOC, [{ path: ['Empty'], value: 'x' }])).toBe(DOC.replace('<Empty></Empty>', '<Empty>x</Empty>'));
    expect(editXml(DOC, [{ path: ['Video', 'SmartCodec'], inner: '<enabled>true</enabled>' }])).toBe(
      DOC.replace('<SmartCodec/>', '<SmartCodec><enabled>true</enabled></SmartCodec>'),
    );
  });

  it('finds one of several by number or by a leaf in it', () => {
    expect(editXml(DOC, [{ path: ['Video', 'PacketType'], index: 1, value: 'TS' }])).toBe(DOC.replace('>RTP<', '>TS<'));
    const second = DOC.replace('<id>2</id><on>true</on>', '<id>2</id><on>false</on>');
    expect(editXml(DOC, [{ path: ['List', { name: 'Item', where: { id: '2' } }, 'on'], value: 'false' }])).toBe(second);
    expect(editXml(DOC, [{ path: ['List', { name: 'Item', index: 1 }, 'on'], value: 'false' }])).toBe(second);
    expect(editXml(DOC, [{ path: ['List', 'Item', 'on'], index: 1, value: 'false' }])).toBe(second);
  });

  it('loses and gains entries of a list', () => {
    const removed = editXml(DOC, [{ path: ['List', { name: 'Item', where: { id: '1' } }], value: null }]);
    expect(removed).toBe(DOC.replace('\r\n    <Item><id>1</id><on>true</on></Item>', ''));
    expect(editXml(DOC, [{ path: ['List'], append: '<Item><id>3</id></Item>' }])).toBe(
      DOC.replace('\r\n  </List>', '\r\n    <Item><id>3</id></Item>\r\n  </List>'),
    );
    expect(editXml(DOC, [{ path: ['Empty'], append: '<Item/>' }])).toBe(DOC.replace('<Empty>', '<Empty><Item/>'));
    expect(editXml('<a><p:l><p:i>1</p:i></p:l></a>', [{ path: ['l'], append: '<i k="a:b">2</i>' }])).toBe(
      '<a><p:l><p:i>1</p:i><p:i k="a:b">2</p:i></p:l></a>',
    );
  });

  it('gains an element behind another', () => {
    expect(editXml('<a><p:u>x</p:u><v/></a>', [{ path: ['u'], after: '<w>1</w>' }])).toBe(
      '<a><p:u>x</p:u><p:w>1</p:w><v/></a>',
    );
  });

  it('is never extended by what it does not have', () => {
    const change = { path: ['Video', 'SVC', 'enabled'], value: 'false' } as const;
    expect(editXml(DOC, [{ ...change, path: [...change.path] }])).toBe(DOC);
    expect(missingIn(DOC, [{ ...change, path: [...change.path] }])).toHaveLength(1);
    expect(missingIn(DOC, [{ path: ['id'], value: '1' }])).toEqual([]);
  });

  it.each([
    '',
    'plain',
    '<a>',
    '<a></b>',
    '<a/><b/>',
    '<a/>x',
    '<!DOCTYPE a><a/>',
    '<a><!-- </a>',
    '<a b="></a>',
    '<a>'.repeat(40) + '</a>'.repeat(40),
  ])('that is none stays as it is: %j', (source) => {
    expect(scanXml(source)).toBeNull();
    expect(editXml(source, [{ path: [], value: 'x' }])).toBe(source);
  });

  it('keeps everything else whatever it holds', () => {
    const name = fc.constantFrom('a', 'b', 'Video', 'x-1');
    const attributes = fc.constantFrom('', ' opt="a,b>c"', " v = '1'", ' xmlns="urn:x"');
    const noise = fc.constantFrom('', ' ', '\r\n\t', '<!-- <a>0</a> -->', '<?pi <a> ?>');
    const leaf = fc.constantFrom('', '0', 'a &amp; b', 'R&D', '<![CDATA[ </a> ]]>', 'äöü 人', '&#x41;');
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc
          .tuple(fc.constantFrom('', 'p:'), name, attributes, leaf)
          .map(([p, n, a, t]) => (t === '' ? `<${p}${n}${a}/>` : `<${p}${n}${a}>${t}</${p}${n}>`)),
        fc
          .tuple(name, attributes, fc.array(fc.tuple(noise, tie('tree')), { maxLength: 4 }), noise)
          .map(([n, a, inside, end]) => `<${n}${a}>${inside.flat().join('')}${end}</${n}>`),
      ),
    }));
    fc.assert(
      fc.property(tree, tree, fc.string({ unit: 'grapheme' }), (before, after, value) => {
        const source = `<root>${before}<here>old</here>${after}</root>`;
        fc.pre(scanXml(source) !== null);
        const edited = editXml(source, [{ path: ['here'], value }]);
        expect(edited.startsWith(`<root>${before}<here>`)).toBe(true);
        expect(edited.endsWith(`</here>${after}</root>`)).toBe(true);
        expect(text(parseXml(edited)!.node, 'here')).toBe(value.trim());
        expect(editXml(edited, [{ path: ['here'], value: 'old' }])).toBe(source);
        const longer = editXml(source, [{ path: [], append: '<q/>' }]);
        expect(editXml(longer, [{ path: ['q'], value: null }])).toBe(source);
      }),
      { numRuns: 300 },
    );
  });

  it('costs no time that grows out of hand', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('<', 'a', '/', '>', '"', ' ', '&', ';', '!', '-', '[') }), (s) => {
        editXml(s, [{ path: ['a'], value: 'x' }]);
        editXml(`<a>${s}</a>`, [{ path: [], value: 'x' }]);
      }),
    );
    expect(scanXml(`<a b=${'"" '.repeat(100_000)}`)).toBeNull();
  });
});

describe('a document that is made to take long', () => {
  it.each([
    ['blanks before an element', `<a>${' '.repeat(200_000)}<b/><c>1</c></a>`],
    ['blanks in a tag', `<a><c${' '.repeat(200_000)}x="1"/></a>`],
    ['comments that begin in CDATA', `<a><c><![CDATA[${'<!--'.repeat(50_000)}]]></c></a>`],
    ['CDATA that begins in a comment', `<a><c><!--${'<![CDATA['.repeat(30_000)}--></c></a>`],
  ])('%s', (_, xml) => {
    const begun = performance.now();
    editXml(xml, [{ path: ['c'], value: null }]);
    editXml(xml, [{ path: [{ name: 'c', where: { d: '' } }], value: '1' }]);
    editXml(xml, [{ path: ['c'], after: '<d/>' }]);
    textOf(xml, scanXml(xml)!.children.at(-1)!);
    editXml(xml, [{ path: ['c'], value: '1' }]);
    optionsOf('<c '.repeat(100_000), 'c');
    expect(performance.now() - begun).toBeLessThan(500);
  });
});
