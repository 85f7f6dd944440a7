import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UNLOGGED } from '../relay/audit/middleware.ts';
import { apiDocument, CLIENT_FILE, clientSource } from './client.ts';
import { type ApiDocument, clientTypes } from './client-types.ts';

describe('the web UI’s client', () => {
  it('is the one that the relay’s document gives', async () => {
    const committed = readFileSync(join(import.meta.dirname, '..', CLIENT_FILE), 'utf8');
    const fresh = clientSource(await apiDocument());
    expect(committed === fresh, `${CLIENT_FILE} is not up to date: run \`npm run client\` and commit it`).toBe(true);
  });
});

describe('the operation log’s page', () => {
  it('has words for every operation that is logged', async () => {
    const { paths } = await apiDocument();
    const ids = (reads: boolean) =>
      Object.values(paths).flatMap((item) =>
        Object.entries(item).flatMap(([method, o]) => ((method === 'get') === reads ? [o.operationId as string] : [])),
      );
    const file = readFileSync(join(import.meta.dirname, '../ui/locales/en/log.json'), 'utf8');
    const said = Object.keys(JSON.parse(file).log.action);
    expect(ids(false).filter((id) => !UNLOGGED.has(id) && !said.includes(id))).toEqual([]);
    expect(said.filter((id) => ![...ids(false), ...ids(true)].includes(id))).toEqual([]);
  });
});

describe('types from schemas', () => {
  const typesOf = (schemas: Record<string, object>, body: object, answer: object) =>
    clientTypes({
      paths: {
        '/api/v1/things/{thingId}': {
          post: {
            summary: 'Make',
            parameters: [
              { name: 'thingId', in: 'path', required: true, schema: { type: 'string' } },
              { name: 'limit', in: 'query', schema: { type: 'integer', default: 50 } },
            ],
            requestBody: { required: true, content: { 'application/json': { schema: body } } },
            responses: { 201: { content: { 'application/json': { schema: answer } } }, 400: {} },
          },
        },
      },
      components: { schemas },
    } as unknown as ApiDocument);

  it('tells what is sent from what comes back', () => {
    const Thing = { type: 'object', properties: { a: { type: 'string', default: 'x' }, b: { type: 'integer' } } };
    const text = typesOf({ Thing }, { $ref: '#/components/schemas/Thing' }, { $ref: '#/components/schemas/Thing' });
    expect(text).toContain('export type Thing = { a: string; b?: number };');
    expect(text).toContain('body: { a?: string; b?: number }; answer: Thing');
    expect(text).toContain('params: { thingId: string }; query?: { limit?: number }');
  });

  it.each([
    [{ type: ['string', 'null'], maxLength: 3 }, 'string | null'],
    [{ enum: ['a', 'b', null] }, '"a" | "b" | null'],
    [{ anyOf: [{ type: 'string' }, { type: 'string' }, { type: 'null' }] }, 'string | null'],
    [{ type: 'array', items: { type: 'boolean' } }, '(boolean)[]'],
    [{ type: 'array', prefixItems: [{ type: 'number' }, { type: 'string' }] }, '[number, string]'],
    [{ type: 'object', additionalProperties: { type: 'number' } }, 'Record<string, number>'],
    [{ type: 'object', properties: { 'a-b': { const: 1 } }, required: ['a-b'] }, '{ "a-b": 1 }'],
  ])('%o', (schema, expected) => {
    expect(typesOf({}, schema, { type: 'null' })).toContain(`body: ${expected};`);
  });

  it('guesses nothing', () => {
    expect(() => typesOf({}, { type: 'object', patternProperties: {} }, {})).toThrow('patternProperties');
    expect(() => typesOf({}, { $ref: '#/components/schemas/Nowhere' }, {})).toThrow('Nowhere');
  });
});
