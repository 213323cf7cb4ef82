import { globSync } from 'node:fs';
import { ROOT } from '../documents.ts';

const KINDS = '{ts,mts,mjs,js,json,md,yaml,yml,tpl,txt,css,html,sh,c,py}';
/** Not written by us, generated, or recorded. */
const EXCLUDED = new Set([
  '.git',
  '.turbo',
  'node_modules',
  'dist',
  'coverage',
  'fixtures',
  'recordings',
  'pnpm-lock.yaml',
  'CHANGELOG.md',
]);

/** Paths of all sources and documents of the repository, from its root. */
export function textFiles(): readonly string[] {
  const patterns = [
    `**/*.${KINDS}`,
    `.changeset/*.md`,
    `.github/**/*.{md,yaml}`,
    `.ci/*`,
    'deploy/Dockerfile',
  ];
  return [
    ...new Set(patterns.flatMap((pattern) => globSync(pattern, { cwd: ROOT, exclude: isExcluded }))),
  ].toSorted();
}

function isExcluded(path: string): boolean {
  return path.split('/').some((name) => EXCLUDED.has(name));
}
