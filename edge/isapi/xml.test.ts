import { describe, expect, it } from 'vitest';
import { clean, list, parseXml, sniff, text } from './xml.ts';

describe('documents as devices write them', () => {
  it('goes by local names, whatever the namespaces', () => {
    const doc = parseXml(
      '\uFEFF \r\n<?xml version="1.0" encoding="UTF-8" ?><p:DeviceInfo version="2.0" xmlns:p="urn:a" xmlns="urn:b"><p:model> DS-1 </p:model><empty/><none></none></p:DeviceInfo>\r\n',
    );
    expect(doc?.root).toBe('DeviceInfo');
    expect(text(doc?.node, 'model')).toBe('DS-1');
    expect(text(doc?.node, 'empty')).toBe('');
    expect(text(doc?.node, 'none')).toBe('');
    expect(text(doc?.node, 'no', 'such')).toBe('');
  });

  it('sees a list of none, one and several alike, and does not believe size="0"', () => {
    const items = (xml: string) => list(parseXml(xml)?.node, 'X').length;
    expect(items('<L size="0"/>')).toBe(0);
    expect(items('<L size="0"><X><id>1</id></X></L>')).toBe(1);
    expect(items('<L><X/><X>2</X></L>')).toBe(2);
  });

  it('takes raw ampersands, entities and foreign bytes', () => {
    const doc = parseXml(Buffer.from('<A><b>x & y &amp; &#228;</b><c>\xc4\xe3</c></A>', 'latin1'));
    expect(text(doc?.node, 'b')).toBe('x & y & ä');
    expect(text(doc?.node, 'c')).toContain('\uFFFD');
  });

  it.each([
    '',
    'plain',
    '<A><b>cut off</b>',
    '<A><b>1</b></B>',
    '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    '<a>'.repeat(100) + '</a>'.repeat(100),
    '<a><__proto__>1</__proto__></a>',
  ])('refuses %s', (xml) => {
    expect(parseXml(xml)).toBeNull();
  });
});

it('tells bodies by their first bytes', () => {
  expect(sniff(Buffer.from('\uFEFF\n <a/>'))).toBe('xml');
  expect(sniff(Buffer.from(' {"a":1}'))).toBe('json');
  expect(sniff(Buffer.from([0xff, 0xd8, 0xff]))).toBe('jpeg');
  expect(sniff(Buffer.from(''))).toBe('other');
});

it('makes text fit to show', () => {
  expect(clean('\tVis\u0000\u009b ', 64)).toBe('Vis');
  expect(clean('x'.repeat(100), 64)).toHaveLength(64);
});
