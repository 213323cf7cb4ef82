import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../documents.ts';

/** A TypeScript file that runs in production. */
export interface Source {
  /** From the root. */
  readonly path: string;
  readonly text: string;
}

/** Everything the controller consists of. */
export function productionSources(): readonly Source[] {
  return globSync('{packages/*,apps/controller}/src/**/*.ts', { cwd: ROOT })
    .filter((path) => !path.endsWith('.test.ts') && !path.includes('/testing/'))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}
