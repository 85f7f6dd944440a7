import { type RawBuilder, type SqlBool, sql } from 'kysely';

/** What `like` would read as its own signs, taken literally. */
const literal = (text: string): string => text.replaceAll(/[\\%_]/g, (sign) => `\\${sign}`);

/** Whether a column has this text in it, in capital or small letters. */
export const contains = (column: string, text: string): RawBuilder<SqlBool> =>
  sql<SqlBool>`lower(${sql.ref(column)}) like ${`%${literal(text.toLowerCase())}%`} escape '\\'`;

/** Whether a column begins with this text, as it is written. */
export const beginsWith = (column: string, text: string): RawBuilder<SqlBool> =>
  sql<SqlBool>`${sql.ref(column)} like ${`${literal(text)}%`} escape '\\'`;
