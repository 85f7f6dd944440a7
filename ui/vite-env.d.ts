declare module '*.css';

/** Vite's: the address of a script of its own, built beside the page's. */
declare module '*?worker&url' {
  const url: string;
  export default url;
}

interface ImportMeta {
  /** Vite's: one loader for each file that matches. */
  glob<T>(pattern: string | string[], options?: { import: 'default' }): Record<string, () => Promise<T>>;
}

declare module 'virtual:shell' {
  export const version: string;
  export const first: string[];
  export const later: string[];
}
