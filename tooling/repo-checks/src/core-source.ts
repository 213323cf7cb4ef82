import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './documents.ts';

/**
 * Text of a source file of core, which tooling does not import. Found by its name, in whichever folder it is.
 * @param name such as `rules.ts`. @throws {TypeError} unless exactly one file has the name.
 */
export function coreSource(name: string): string {
  const paths = globSync(`packages/core/src/**/${name}`, { cwd: ROOT });
  const [path] = paths;
  if (path === undefined || paths.length > 1)
    throw new TypeError(`Expected one packages/core/src/**/${name}, found ${paths.length}`);
  return readFileSync(join(ROOT, path), 'utf8');
}
