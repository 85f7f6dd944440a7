// `npm run client`: writes the types of the web UI's client anew, from the document of a relay that is started for it.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestRelay } from '../relay/testing/relay.ts';
import { type ApiDocument, clientTypes } from './client-types.ts';

const root = join(import.meta.dirname, '..');
export const CLIENT_FILE = 'ui/client/api.gen.ts';

/** The OpenAPI document as a relay serves it. */
export async function apiDocument(): Promise<ApiDocument> {
  const relay = new TestRelay();
  try {
    await relay.start();
    return (await relay.call('GET', '/api/v1/openapi.json')).body;
  } finally {
    await relay.stop();
  }
}

/** The file's text, formatted like the rest of the sources. */
export function clientSource(document: ApiDocument): string {
  const biome = join(root, 'node_modules', '.bin', 'biome');
  const done = spawnSync(biome, ['format', `--stdin-file-path=${CLIENT_FILE}`], {
    input: clientTypes(document),
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  });
  if (done.status !== 0) throw new Error(`biome: ${done.stderr || done.error}`);
  return done.stdout;
}

if (import.meta.main) {
  writeFileSync(join(root, CLIENT_FILE), clientSource(await apiDocument()));
  console.log(`wrote ${CLIENT_FILE}`);
}
