import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './documents.ts';

/** Folders of packages/core/src. Each imports only from those before it, so there is no circle. */
const ORDER = [
  'model',
  'ports',
  'telemetry',
  'tracking',
  'loop',
  'view',
  'decide',
  'execute',
  'pass',
  'report',
  'testing',
];

const SOURCES = join(ROOT, 'packages/core/src');
const files = globSync('**/*.ts', { cwd: SOURCES })
  .filter((path) => !/\.test(?:-support)?\.ts$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(SOURCES, path), 'utf8') }));
const IMPORT = /\bfrom '\.\.\/([a-z-]+)\/[^']+'/g;

/** `from -> to` of every import between two folders. */
function importsBetweenFolders(): ReadonlySet<string> {
  return new Set(
    files
      .filter(({ path }) => path.includes('/'))
      .flatMap(({ path, text }) =>
        [...text.matchAll(IMPORT)].map(([, to = '']) => `${path.split('/')[0]} -> ${to}`),
      ),
  );
}

function isDownwards(edge: string): boolean {
  const [from = '', to = ''] = edge.split(' -> ');
  return ORDER.indexOf(to) < ORDER.indexOf(from);
}

describe('folders of packages/core/src', () => {
  const edges = importsBetweenFolders();

  it('are those that the order knows', () => {
    const folders = new Set(files.map(({ path }) => path.split('/').slice(0, -1).join('/')));
    expect([...folders].filter((folder) => folder !== '').toSorted()).toEqual(ORDER.toSorted());
    expect(files.filter(({ path }) => !path.includes('/')).map(({ path }) => path)).toEqual(['index.ts']);
  });

  it('import only from folders before them', () => {
    expect(edges.size).toBeGreaterThan(20);
    expect([...edges].filter((edge) => !isDownwards(edge))).toEqual([]);
  });

  it.each([
    ['decide -> model', true],
    ['model -> decide', false],
    ['view -> view', false],
  ])('%s goes downwards: %j', (edge, expected) => {
    expect(isDownwards(edge)).toBe(expected);
  });
});
