import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROJECT_FILE, type Project, readProject } from './project.ts';

/**
 * Replaces the address of the repository and the security contact in every tracked file:
 *   node --conditions=source tooling/release-check/src/set-project.ts https://github.com/OWNER/NAME CONTACT
 */
const root = fileURLToPath(new URL('../../../', import.meta.url));
const [repository, securityContact] = process.argv.slice(2);
if (repository === undefined || securityContact === undefined || !URL.canParse(repository))
  throw new TypeError(
    `Expected the URL of the repository and a contact, got ${process.argv.slice(2).join(' ')}`,
  );
const old = readProject();
const next: Project = { repository: repository.replace(/\/$/, ''), securityContact };
const args = ['grep', '-lF', '-e', old.repository, '-e', old.securityContact];
for (const path of execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim().split('\n')) {
  const text = readFileSync(join(root, path), 'utf8');
  writeFileSync(
    join(root, path),
    text.replaceAll(old.repository, next.repository).replaceAll(old.securityContact, next.securityContact),
  );
}
writeFileSync(PROJECT_FILE, `${JSON.stringify(next, undefined, 2)}\n`);
