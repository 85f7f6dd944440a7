declare module '*.css';

interface ImportMeta {
  /** Vite's: one loader for each file that matches. */
  glob<T>(pattern: string | string[], options: { import: 'default' }): Record<string, () => Promise<T>>;
}
