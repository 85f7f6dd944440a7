import { first, later, version } from 'virtual:shell';
import { showPushes } from './push.ts';
import type { WorkerScope } from './scope.ts';
import { keepShell } from './shell.ts';

/* The portal's service worker: each part adds its own listeners. */

const scope = globalThis as unknown as WorkerScope;
keepShell(scope, { version, first, later });
showPushes(scope);
