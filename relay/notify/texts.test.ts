import { describe, expect, it } from 'vitest';
import { NOTICE_CODES } from '../../protocol/wire/notify.ts';
import de from './texts/de.json' with { type: 'json' };
import en from './texts/en.json' with { type: 'json' };
import { fill, noticeText, oneLine } from './texts.ts';

const places = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1]).sort();

describe('texts', () => {
  it('are there for every code in every language, and no others', () => {
    for (const texts of [en, de]) expect(Object.keys(texts).sort()).toEqual([...NOTICE_CODES].sort());
  });

  it.each([...NOTICE_CODES])('%s says the same in both languages', (code) => {
    for (const part of ['subject', 'text'] as const) {
      expect(places(de[code][part]), part).toEqual(places(en[code][part]));
      expect(de[code][part], part).not.toBe('');
      expect(de[code][part], part).not.toBe(en[code][part]);
    }
    expect(en[code].subject.length).toBeLessThanOrEqual(120);
  });

  it.each([
    ['de-AT', 'Testnachricht'],
    ['de', 'Testnachricht'],
    ['en', 'Test message'],
    ['fr', 'Test message'],
    ['constructor', 'Test message'],
    ['', 'Test message'],
  ])('speaks the person’s language, else English: %s', (locale, subject) => {
    expect(noticeText('test-message', locale, {}).subject).toBe(subject);
  });

  it.each([undefined, '', '–'])('says nothing of a remark that nobody made: %s', (remark) => {
    const values = { company: 'Acme', site: 'Home', ...(remark === undefined ? {} : { remark }) };
    for (const code of NOTICE_CODES.filter((each) => en[each].text.includes('{{remark}}')))
      for (const locale of ['en', 'de'])
        expect(noticeText(code, locale, values).text, code).not.toMatch(/Remark|Bemerkung|–|^\s|[ ]\n|\s$/);
    expect(noticeText('transfer-message', 'en', values).text).toBe('Acme hands “Home” over to you. Accept it here:');
    expect(noticeText('transfer-message', 'en', { ...values, remark: 'Hi' }).text).toContain(' Remark: Hi. Accept');
  });

  it('does not fail on a code of another version', () => {
    expect(noticeText('of-tomorrow', 'en', {})).toEqual({ subject: 'of-tomorrow', text: '' });
  });

  it('takes out of people’s words what could break out of a line or turn its direction', () => {
    expect(oneLine('A\r\nBcc: x@y.z\u2028C\u0085D\0\x1b[31m\u202eE\t F')).toBe('A Bcc: x@y.z C D[31mE F');
    expect(fill('{{a}}|{{b}}|{{constructor}}', { a: 'x\r\ny\rz\0', b: '\n\n\n\n' })).toBe('x\ny\nz|\n\n|');
    expect(fill('{{a}}', { a: '{{b}}', b: 'no' })).toBe('{{b}}');
    expect(fill('{{a}}', { a: 'Grüße 😀 漢字' })).toBe('Grüße 😀 漢字');
    expect(fill('{{a}}', { a: 'x'.repeat(10_000) })).toHaveLength(2_000);
  });
});
