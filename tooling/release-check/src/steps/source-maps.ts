import { access, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { refuse, type Step } from '../step.ts';

/** Every source that a source map names is in the tarball. */
export const sourceMaps: Step = {
  name: 'source maps',
  async run({ packages }) {
    const problems: string[] = [];
    let count = 0;
    for (const { folder, manifest } of packages) {
      const files = await readdir(join(folder, 'dist'), { recursive: true });
      for (const file of files.filter((name) => name.endsWith('.map'))) {
        count++;
        const path = join(folder, 'dist', file);
        const { sources } = JSON.parse(await readFile(path, 'utf8')) as { sources: readonly string[] };
        for (const source of sources) {
          await access(join(dirname(path), source)).catch(() =>
            problems.push(`${manifest.name}: dist/${file} names ${source}, which is not in the tarball`),
          );
        }
      }
    }
    refuse(problems);
    return `${count} maps resolve`;
  },
};
