import { PROBLEMS, type ProblemCode, problem } from '../../protocol/wire/problem.ts';

type Json = Record<string, unknown>;
interface Document {
  paths?: Record<string, Record<string, unknown>>;
  components?: { schemas?: Record<string, unknown>; examples?: Record<string, unknown> };
}
interface Operation {
  requestBody?: { content?: Record<string, Json> };
  responses?: Record<string, { content?: Record<string, Json> }>;
}

/** Values for what a format already describes. */
const BY_FORMAT: Record<string, string> = {
  uuid: '0199f2b4-7c00-7d3a-9c41-5a1b2c3d4e5f',
  'date-time': '2026-03-01T08:30:00.000Z',
  date: '2026-03-01',
  time: '08:30:00',
  email: 'ines@keller.example',
  uri: 'https://relay.example/',
  ipv4: '192.0.2.10',
};

/**
 * Gives every body and answer of the document an example, put together from those of its fields, and every error the
 * problem it comes as. What a field's type and format do not say, its schema says with `.meta({ example })`.
 */
export function withExamples<T extends Document>(document: T): T {
  plainPatterns(document);
  const schemas = (document.components?.schemas ?? {}) as Record<string, Json>;
  const used = new Set<string>();
  for (const item of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(item) as Operation[]) {
      illustrate(operation.requestBody?.content?.['application/json'], schemas, false);
      for (const [status, { content }] of Object.entries(operation.responses ?? {})) {
        if (status.startsWith('2')) illustrate(content?.['application/json'], schemas, true);
        const problems = content?.['application/problem+json'] as { examples?: Json } | undefined;
        for (const code of Object.keys(problems?.examples ?? {})) used.add(code);
      }
    }
  }
  const known = [...used].filter((code): code is ProblemCode => code in PROBLEMS).sort();
  const examples = Object.fromEntries(known.map((code) => [code, { value: problem(code) }]));
  document.components = { ...document.components, examples };
  return document;
}

/** Patterns of JSON Schema are Unicode as they are; the flag that zod's generator leaves at their end would be part of them. */
function plainPatterns(part: unknown): void {
  if (typeof part !== 'object' || part === null) return;
  const schema = part as Json;
  if (typeof schema.pattern === 'string') schema.pattern = schema.pattern.replace(/\/[dgimsuvy]+$/, '');
  for (const value of Object.values(schema)) plainPatterns(value);
}

function illustrate(media: Json | undefined, schemas: Record<string, Json>, whole: boolean): void {
  const schema = media?.schema as Json | undefined;
  if (media && schema && media.example === undefined) media.example = exampleOf(schema, schemas, whole, 0);
}

/** `whole`: with what may be left out as well. */
function exampleOf(schema: Json, schemas: Record<string, Json>, whole: boolean, depth: number): unknown {
  if (typeof schema.$ref === 'string') {
    const target = schemas[schema.$ref.replace('#/components/schemas/', '')];
    return depth > 12 ? null : exampleOf(target ?? {}, schemas, whole, depth + 1);
  }
  for (const name of ['example', 'default', 'const'] as const) if (schema[name] !== undefined) return schema[name];
  if (Array.isArray(schema.examples)) return schema.examples[0];
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const several = (schema.oneOf ?? schema.anyOf) as Json[] | undefined;
  if (several) return exampleOf(several[0] ?? {}, schemas, whole, depth + 1);
  if (schema.allOf) {
    return Object.assign({}, ...(schema.allOf as Json[]).map((part) => exampleOf(part, schemas, whole, depth + 1)));
  }
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case 'string':
      return BY_FORMAT[schema.format as string] ?? 'text'.padEnd(Number(schema.minLength ?? 0), '.');
    case 'integer':
    case 'number':
      return schema.minimum ?? Math.max(1, Number(schema.exclusiveMinimum ?? 0) + 1);
    case 'boolean':
      return true;
    case 'array':
      return [exampleOf((schema.items ?? {}) as Json, schemas, whole, depth + 1)];
    case 'object': {
      const properties = Object.entries((schema.properties ?? {}) as Record<string, Json>);
      const required = (schema.required ?? []) as string[];
      const shown =
        whole || required.length === 0 ? properties : properties.filter(([name]) => required.includes(name));
      return Object.fromEntries(shown.map(([name, field]) => [name, exampleOf(field, schemas, whole, depth + 1)]));
    }
    default:
      return null;
  }
}
