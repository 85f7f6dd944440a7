import { lookup, t } from '../../components/i18n.ts';
import { say } from '../../components/say.ts';
import { fieldWord, optionWord } from '../device/words.ts';

const FIELD = /^([a-z]\w*)(?:: (.+?)(?: \(wanted: (.+)\))?)?$/;
const isField = (name: string): boolean => lookup(`operations.field.${name}`) !== null;

function value(text: string): string {
  if (text === 'true' || text === 'false') return t(text === 'true' ? 'operations.yes' : 'operations.no');
  return text === '?' || text === 'undefined' ? t('state.none') : optionWord(text);
}

/** `smartCodec: true (wanted: false)`, or a name alone; null: that is none. */
function fieldText(text: string): string | null {
  const [, name, is, wanted] = FIELD.exec(text) ?? [];
  if (!name || !isField(name)) return null;
  const word = fieldWord(name);
  if (is === undefined) return word;
  return wanted === undefined
    ? `${word}: ${value(is)}`
    : t('jobs.wanted', { field: word, is: value(is), wanted: value(wanted) });
}

/** What a box tells of a step: sentences, or what was set, by the names that the device's settings have. */
export function stepText(text: string): string {
  if (FIELD.test(text.split(', ')[0] ?? '')) {
    const fields = text.split(/[,;] /).map(fieldText);
    if (fields.every((field) => field !== null)) return fields.join('; ');
  }
  const parts = text.split('; ');
  const told = parts.map((part) => {
    const [, channel, rest] = /^Channel (\d+): (.+)$/.exec(part) ?? [];
    const field = fieldText(rest ?? part);
    return field && (channel ? `${t('jobs.channel', { n: Number(channel) })}: ${field}` : field);
  });
  return told.some(Boolean) ? parts.map((part, i) => told[i] ?? say(part)).join('; ') : say(text);
}
