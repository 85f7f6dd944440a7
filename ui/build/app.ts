import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { ICONS, icon } from './icons.ts';

/** What makes the portal an application that can be installed. The colours are those of styles.css. */
const MANIFEST = {
  id: '/',
  name: 'Gatepost',
  short_name: 'Gatepost',
  description: 'Sites, devices, events and alarms.',
  start_url: '/',
  scope: '/',
  display: 'standalone',
  background_color: '#ffffff',
  theme_color: '#ffffff',
  icons: Object.entries(ICONS)
    .filter(([name]) => !name.startsWith('apple'))
    .map(([name, { size }]) => ({
      src: `/icons/${name}`,
      sizes: `${size}x${size}`,
      type: 'image/png',
      purpose: name.startsWith('maskable') ? 'maskable' : 'any',
    })),
};

/** Adds the manifest and the icons, drawn here. */
export const installable: Plugin = {
  name: 'installable',
  generateBundle() {
    const emit = (fileName: string, source: string | Buffer) => this.emitFile({ type: 'asset', fileName, source });
    emit('manifest.webmanifest', `${JSON.stringify(MANIFEST, null, 2)}\n`);
    for (const [name, shape] of Object.entries(ICONS)) emit(`icons/${name}`, icon(shape));
  },
};

const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());

/**
 * `virtual:shell` for the service worker: which files the built portal is made of, and a version that changes with any
 * of them. The portal is built before.
 */
export const shellList = (portalDir: string): Plugin => ({
  name: 'shell-list',
  resolveId: (id) => (id === 'virtual:shell' ? id : null),
  load(id) {
    if (id !== 'virtual:shell') return null;
    const page = readFileSync(join(portalDir, 'index.html'), 'utf8');
    const all = files(portalDir)
      .map((path) => `/${relative(portalDir, path)}`)
      .filter((path) => path.startsWith('/assets/') && /\.(js|css)$/.test(path))
      .sort();
    const version = createHash('sha256')
      .update(page + all.join())
      .digest('hex')
      .slice(0, 12);
    const first = ['/', '/favicon.svg', ...all.filter((path) => page.includes(path))];
    const later = all.filter((path) => !page.includes(path));
    return `export const version = ${JSON.stringify(version)};
export const first = ${JSON.stringify(first)};
export const later = ${JSON.stringify(later)};`;
  },
});

/**
 * Modules of protocol/wire only declare: what a page does not use of them is left out, and with it the validator that
 * the schemas are made with.
 */
export const wordsOnly: Plugin = {
  name: 'words-only',
  transform(code, id) {
    if (!/\/protocol\/wire\/[^/]+\.ts$/.test(id)) return null;
    const made: { start: number; end: number }[] = [];
    for (const node of this.parse(code).body) {
      const declaration = node.type === 'ExportNamedDeclaration' ? node.declaration : node;
      if (declaration?.type !== 'VariableDeclaration') continue;
      for (const { init } of declaration.declarations)
        if (init && !/^(Literal|ArrowFunctionExpression|FunctionExpression)$/.test(init.type)) made.push(init);
    }
    let out = code;
    for (const { start, end } of made.reverse())
      out = `${out.slice(0, start)}/* @__PURE__ */ (() => (${out.slice(start, end)}))()${out.slice(end)}`;
    return { code: out, map: null };
  },
};

/** Puts a compressed copy beside each file that shrinks, for servers that send it. */
export const precompressed: Plugin = {
  name: 'precompressed',
  enforce: 'post',
  writeBundle({ dir }) {
    if (!dir || !existsSync(dir)) return;
    for (const path of files(dir)) {
      if (!/\.(js|css|html|svg|webmanifest)$/.test(path)) continue;
      const text = readFileSync(path);
      if (text.length < 512) continue;
      writeFileSync(`${path}.br`, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
      writeFileSync(`${path}.gz`, gzipSync(text, { level: 9 }));
    }
  },
};
