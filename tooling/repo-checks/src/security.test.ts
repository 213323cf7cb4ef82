import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './documents.ts';

const security = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');

/** Cells of the rows below the title of a section. */
function rowsOf(title: string): readonly (readonly string[])[] {
  const [, part = ''] = new RegExp(`^## ${title}$([^]*?)^## `, 'm').exec(security) ?? [];
  return part
    .split('\n')
    .filter((line) => line.startsWith('|') && !line.startsWith('|---'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const [head = [], ...threats] = rowsOf('Threat model');

describe('the threat model of docs/security.md', () => {
  it('says who reaches what, gains what, and what stops it', () => {
    expect(head).toEqual(['Who', 'Reaches', 'Would gain', 'Stopped by', 'Tested where']);
    expect(threats.length).toBeGreaterThan(15);
  });

  it.each(threats.map((cells) => [cells.slice(0, 2).join(': '), cells] as const))(
    '%s is tested',
    (_, cells) => {
      expect(cells.filter((cell) => cell === '')).toEqual([]);
      const paths = [...(cells.at(-1) ?? '').matchAll(/`([^`]+)`/g)].map(([, path = '']) => path);
      expect(paths).not.toEqual([]);
      expect(paths.filter((path) => !path.endsWith('.test.ts') || !existsSync(join(ROOT, path)))).toEqual([]);
    },
  );
});
