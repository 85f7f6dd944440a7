declare module '*.css';

interface ImportMeta {
  /** Vite's: one loader for each file that matches. */
  glob<T>(pattern: string | string[], options?: { import: 'default' }): Record<string, () => Promise<T>>;
}

declare module 'virtual:shell' {
  export const version: string;
  export const first: string[];
  export const later: string[];
}
