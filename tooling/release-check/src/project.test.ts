import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { publishableFolders, readManifest } from './packed-package.ts';
import { readProject } from './project.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const { repository, securityContact } = readProject();

describe('project.json', () => {
  it('is what every published manifest names', async () => {
    for (const folder of await publishableFolders(root)) {
      const { bugs, homepage, repository: named } = await readManifest(folder);
      const path = folder.slice(root.length);
      expect({ bugs, homepage, named }).toEqual({
        bugs: `${repository}/issues`,
        homepage: `${repository}/tree/main/${path}#readme`,
        named: { type: 'git', url: `git+${repository}.git`, directory: path },
      });
    }
  });

  it('is what SECURITY.md names', () => {
    expect(readFileSync(join(root, 'SECURITY.md'), 'utf8')).toContain(`<${securityContact}>`);
  });
});
