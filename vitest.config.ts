import preact from '@preact/preset-vite';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [preact()],
  test: {
    include: ['{protocol,edge,relay,lab,ui,bench,scripts}/**/*.test.{ts,tsx}'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Two cores: more workers only make the timing of real sockets worse.
    maxWorkers: 2,
    passWithNoTests: false,
  },
});
