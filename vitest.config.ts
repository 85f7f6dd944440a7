import preact from '@preact/preset-vite';
import { defineConfig } from 'vitest/config';

const journeys = ['lab/journeys/**/*.test.ts'];
/** Journeys that promise no times. */
const untimed = ['lab/journeys/{arc,bad-input,cloud,faults,install,kills,passwords,upgrade}.test.ts'];
/** Their tests are the steps of a story: one that failed is tried again from its beginning (scripts/test.ts). */
const story = 'ui/browser/story.ts';
const pages = ['ui/browser/**/*.test.ts', ...untimed];

export default defineConfig({
  plugins: [preact()],
  test: {
    testTimeout: 20_000,
    hookTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['{protocol,edge,relay,lab,ui,bench,scripts}/**/*.test.{ts,tsx}'],
          exclude: [...journeys, ...pages],
          globalSetup: 'relay/testing/global-setup.ts',
          // Real sockets and clocks on two shared cores: CI tries again before it calls a test broken, and says so.
          retry: process.env.CI ? 2 : 0,
          // They wait for timers, disks and sockets more than they compute: a third finds room on two cores.
          maxWorkers: 3,
        },
      },
      {
        // Pages in a real browser and journeys without a stopwatch, each file with a relay, a box and devices of its own.
        extends: true,
        test: {
          name: 'pages',
          include: pages,
          setupFiles: story,
          maxWorkers: 2,
          testTimeout: 180_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // The whole product with real video: one at a time, or two cores are not enough for its promises.
        extends: true,
        test: {
          name: 'journeys',
          include: journeys,
          setupFiles: story,
          exclude: untimed,
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
