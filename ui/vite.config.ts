import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import preact from '@preact/preset-vite';
import tailwind from '@tailwindcss/vite';
import { defineConfig, type Plugin } from 'vite';
import { installable, precompressed, shellList, wordsOnly } from './build/app.ts';

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

/** A plugin for some of the outputs only. */
const only = (names: string[], plugin: Plugin): Plugin => ({
  ...plugin,
  applyToEnvironment: ({ name }) => names.includes(name),
});

/** Few files, as each waits for one of a browser's six connections: libraries, and what several pages use. */
const SHARED = [
  { name: 'core', test: /\/node_modules\/|rolldown\/runtime/, priority: 2 },
  { name: 'parts', test: /\/ui\/(components|portal\/site)\/|\/protocol\/wire\//, minShareCount: 2 },
];

const page = (name: string) => ({
  consumer: 'client' as const,
  build: {
    outDir: `dist/${name}`,
    emptyOutDir: true,
    rollupOptions: {
      input: `${root}/${name}/index.html`,
      output: { codeSplitting: { groups: SHARED } },
    },
  },
});

/**
 * Two pages from one source: the portal (served by the relay) and the box's set-up page (served by the box); then the
 * portal's service worker, which names the portal's files.
 */
export default defineConfig({
  root,
  plugins: [
    preact({ devToolsEnabled: false }),
    tailwind(),
    pageAtRoot,
    wordsOnly,
    only(['client'], installable),
    only(['worker'], shellList(`${root}/dist/portal`)),
    only(['client', 'worker', 'setup'], precompressed),
  ],
  // Nothing inlined as data: or <script>, so that the servers' content security policy can be strict.
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: 'es2022' },
  builder: {},
  environments: {
    client: page('portal'),
    worker: {
      consumer: 'client',
      build: {
        outDir: 'dist/portal',
        emptyOutDir: false,
        copyPublicDir: false,
        rollupOptions: {
          input: `${root}/worker/worker.ts`,
          output: { format: 'iife', entryFileNames: 'worker.js' },
        },
      },
    },
    setup: page('setup'),
  },
});
