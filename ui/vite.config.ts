import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import preact from '@preact/preset-vite';
import tailwind from '@tailwindcss/vite';
import { defineConfig, type Plugin } from 'vite';

const root = dirname(fileURLToPath(import.meta.url));

/** Vite keeps an entry's folder in the output; each page here is the root of its own server. */
const pageAtRoot: Plugin = {
  name: 'page-at-root',
  enforce: 'post',
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle))
      if (file.fileName.endsWith('.html')) file.fileName = basename(file.fileName);
  },
};

const compressed = {
  br: (data: Buffer) => brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  gz: (data: Buffer) => gzipSync(data, { level: 9 }),
};

/** Writes what servers send compressed beside each file, so that they need not compress. */
const precompressed: Plugin = {
  name: 'precompressed',
  writeBundle({ dir }) {
    for (const name of readdirSync(dir!, { recursive: true, encoding: 'utf8' })) {
      if (!/\.(html|js|css|svg|json|webmanifest)$/.test(name)) continue;
      const data = readFileSync(join(dir!, name));
      for (const [ending, compress] of Object.entries(compressed)) {
        const smaller = compress(data);
        if (smaller.length < data.length) writeFileSync(join(dir!, `${name}.${ending}`), smaller);
      }
    }
  },
};

const page = (name: string) => ({
  consumer: 'client' as const,
  build: {
    outDir: `dist/${name}`,
    emptyOutDir: true,
    // Making a schema does nothing else: a page that takes only words from the wire's files carries no validator.
    rollupOptions: { input: `${root}/${name}/index.html`, treeshake: { manualPureFunctions: ['z'] } },
  },
});

/** Two pages from one source: the portal (served by the relay) and the box's set-up page (served by the box). */
export default defineConfig({
  root,
  plugins: [preact({ devToolsEnabled: false }), tailwind(), pageAtRoot, precompressed],
  // Nothing inlined as data: or <script>, so that the servers' content security policy can be strict.
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: 'es2022' },
  builder: {},
  environments: { client: page('portal'), setup: page('setup') },
});
