import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../protocol/wire/problem.ts';
import { TestRelay } from '../testing/relay.ts';

const relay = new TestRelay();
await relay.start();
afterAll(() => relay.stop());
const { body: document } = await relay.call('GET', '/api/v1/openapi.json');

interface Operation {
  operationId?: string;
  summary?: string;
  requestBody?: { content: Record<string, { schema: object; example?: unknown }> };
  responses: Record<string, { content?: Record<string, { schema: object; example?: unknown; examples?: object }> }>;
}
const operations = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
);

describe('the OpenAPI document', () => {
  it('is OpenAPI 3.1, as a validator of others reads it', async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  it('names every operation once, by what it does', () => {
    const ids = operations.map(([name, { operationId }]) => [name, operationId] as const);
    expect(ids.filter(([, id]) => !/^[a-z]+([A-Z][a-z]*)*$/.test(id ?? ''))).toEqual([]);
    const twice = ids.filter(([, id], i) => ids.findIndex(([, other]) => other === id) !== i);
    expect(twice).toEqual([]);
  });

  const ajv = addFormats.default(new Ajv2020({ strict: false, validateFormats: true, allErrors: true }));
  ajv.addSchema({ $id: 'document', components: document.components });
  const check = (schema: object) =>
    ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"document#/components')));
  it.each(operations)('%s: has examples that its own schemas take', (_, { requestBody, responses }) => {
    const good = Object.entries(responses).flatMap(([status, { content }]) =>
      status.startsWith('2') && content?.['application/json'] ? [content['application/json']] : [],
    );
    for (const { schema, example } of [requestBody?.content['application/json'], ...good].filter(
      (x) => x !== undefined,
    )) {
      expect(example).toBeDefined();
      const validate = check(schema);
      expect(validate(example), `${JSON.stringify(example)}\n${JSON.stringify(validate.errors)}`).toBe(true);
    }
  });

  it('shows every error of an operation as it comes', () => {
    for (const [name, { responses }] of operations)
      for (const [status, { content }] of Object.entries(responses)) {
        const problems = content?.['application/problem+json'];
        if (!problems) continue;
        for (const code of Object.keys(problems.examples ?? {})) {
          expect([name, code, PROBLEMS[code as keyof typeof PROBLEMS]?.[0]]).toEqual([name, code, Number(status)]);
          expect(document.components.examples[code].value).toMatchObject({ code, status: Number(status) });
        }
      }
  });
});
