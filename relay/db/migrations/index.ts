import { core } from './001-core.ts';
import type { Migration } from './migration.ts';

/** Every step in order. Append only. */
export const migrations: readonly Migration[] = [core];
