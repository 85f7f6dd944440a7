/*
 * TypeScript types of the portal API, written from its OpenAPI 3.1 document. Only what the relay's schemas use is known;
 * anything else is an error, so that no type quietly becomes too wide.
 */

type Json = Record<string, unknown>;
interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema: Json;
}
interface Operation {
  operationId?: string;
  summary?: string;
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Json }> };
  responses: Record<string, { content?: Record<string, { schema: Json }> }>;
}
export interface ApiDocument {
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Json> };
}

/** `answer`: what the relay gives, with every default filled in. `body`: what it takes, defaults left out. */
type Direction = 'answer' | 'body';

const BASE = '/api/v1';
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
/** Say more than a type does; the relay checks them. */
const NOT_TYPED = new Set(
  `default deprecated description example examples exclusiveMaximum exclusiveMinimum format maxItems maxLength maximum
  minItems minLength minimum multipleOf pattern title uniqueItems propertyNames maxProperties minProperties readOnly`.split(
    /\s+/,
  ),
);

/** The committed client's types, not formatted yet. */
export function clientTypes(document: ApiDocument): string {
  const schemas = document.components?.schemas ?? {};
  const types = new Types(schemas);
  const named = Object.entries(schemas)
    .sort(([a], [b]) => a.localeCompare(b, 'en'))
    .map(([name, schema]) => `export type ${name} = ${types.of(schema, 'answer')};`);
  const paths = Object.entries(document.paths).sort(([a], [b]) => a.localeCompare(b, 'en'));
  const methods = METHODS.map((method) => {
    const routes = paths.flatMap(([path, item]) => {
      const operation = item[method];
      return operation ? [routeType(path, operation, types)] : [];
    });
    return routes.length > 0 ? `${method}: {\n${routes.join('\n')}\n};` : `${method}: Record<never, never>;`;
  });
  return `// Written by \`npm run client\` from the relay's OpenAPI document. Do not edit.\n
${named.join('\n')}\n
/** By method, then by path below ${BASE}. An \`answer\` that is \`never\` is no JSON: make its address with \`address()\`. */
export interface Routes {\n${methods.join('\n')}\n}\n`;
}

function routeType(path: string, operation: Operation, types: Types): string {
  const group = (where: string) => (operation.parameters ?? []).filter((parameter) => parameter.in === where);
  const parts: string[] = [];
  if (group('path').length > 0)
    parts.push(
      `params: { ${group('path')
        .map((p) => `${p.name}: string`)
        .join('; ')} }`,
    );
  const query = group('query');
  if (query.length > 0) {
    const fields = query.map((p) => `${key(p.name)}${p.required ? '' : '?'}: ${types.of(p.schema, 'body')}`);
    parts.push(`query${query.some((p) => p.required) ? '' : '?'}: { ${fields.join('; ')} }`);
  }
  const sent = operation.requestBody?.content['application/json']?.schema;
  if (sent) parts.push(`body${operation.requestBody?.required ? '' : '?'}: ${types.of(sent, 'body')}`);
  parts.push(`answer: ${answerType(operation, types)}`);
  const summary = operation.summary ? `/** ${operation.summary.replaceAll('*/', '')} */\n` : '';
  return `${summary}'${path.replace(BASE, '')}': { ${parts.join('; ')} };`;
}

function answerType(operation: Operation, types: Types): string {
  const good = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'));
  const found = good.map(([, { content }]) => {
    if (!content) return 'undefined';
    const schema = content['application/json']?.schema;
    return schema ? types.of(schema, 'answer') : 'never';
  });
  return [...new Set(found)].join(' | ') || 'never';
}

const key = (name: string) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));

class Types {
  readonly #schemas: Record<string, Json>;

  constructor(schemas: Record<string, Json>) {
    this.#schemas = schemas;
  }

  of(schema: Json, direction: Direction): string {
    const { $ref, enum: values, const: constant, anyOf, oneOf, allOf, type, ...rest } = schema;
    if (typeof $ref === 'string') return this.#ref($ref, direction);
    if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' | ');
    if (constant !== undefined) return JSON.stringify(constant);
    const several = (anyOf ?? oneOf) as Json[] | undefined;
    if (several) return unique(several.map((one) => this.of(one, direction))).join(' | ');
    if (allOf) return (allOf as Json[]).map((one) => `(${this.of(one, direction)})`).join(' & ');
    const names = Array.isArray(type) ? (type as string[]) : [type as string | undefined];
    return unique(names.map((name) => this.#plain(name, rest, direction))).join(' | ');
  }

  #ref(ref: string, direction: Direction): string {
    const name = ref.replace('#/components/schemas/', '');
    const schema = this.#schemas[name];
    if (!schema) throw new Error(`${ref} is not there`);
    // What is sent may leave out what has a default; such a schema is written out where it is sent.
    return direction === 'body' && JSON.stringify(schema).includes('"default":') ? this.of(schema, direction) : name;
  }

  #plain(type: string | undefined, rest: Json, direction: Direction): string {
    const { properties, required, additionalProperties, items, prefixItems, ...others } = rest;
    const unknown = Object.keys(others).filter((name) => !NOT_TYPED.has(name));
    if (unknown.length > 0) throw new Error(`the types of ${unknown.join(', ')} are not known`);
    switch (type) {
      case 'string':
      case 'boolean':
      case 'null':
        return type;
      case 'number':
      case 'integer':
        return 'number';
      case 'array': {
        if (prefixItems) return `[${(prefixItems as Json[]).map((item) => this.of(item, direction)).join(', ')}]`;
        return `(${items ? this.of(items as Json, direction) : 'unknown'})[]`;
      }
      case 'object': {
        const fields = Object.entries((properties ?? {}) as Record<string, Json>).map(([name, schema]) => {
          const there =
            ((required ?? []) as string[]).includes(name) || (direction === 'answer' && 'default' in schema);
          return `${key(name)}${there ? '' : '?'}: ${this.of(schema, direction)}`;
        });
        if (fields.length > 0) return `{ ${fields.join('; ')} }`;
        if (additionalProperties && typeof additionalProperties === 'object')
          return `Record<string, ${this.of(additionalProperties as Json, direction)}>`;
        return additionalProperties === undefined ? 'Record<string, unknown>' : 'Record<string, never>';
      }
      case undefined:
        return 'unknown';
      default:
        throw new Error(`there is no type ${type}`);
    }
  }
}

const unique = (types: string[]) => [...new Set(types)];
