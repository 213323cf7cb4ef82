import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './documents.ts';

const MOST_LINES = 350;
const MOST_LINES_OF_MEDIAN = 110;
/** Longer files, with the reason why they are one thing. */
const REASONS: Readonly<Record<string, string>> = {
  'tooling/rds-sim/src/script/parser.ts': 'one recursive-descent parser, whose rules call each other',
};
/** Longer files that are to be split. Remove a line once it is done; never add one. */
const TO_DO: readonly string[] = [
  'packages/rds-client/src/rds-backend.ts',
  'tooling/kube-sim/src/object-store.ts',
  'tooling/rds-sim/src/nvme/queue.ts',
];

const sources = globSync('{apps,packages,tooling}/*/src/**/*.ts', { cwd: ROOT })
  .filter((path) => !path.includes('node_modules') && !/\.test(?:-support)?\.ts$/.test(path))
  .map((path) => ({ path, lines: readFileSync(join(ROOT, path), 'utf8').trimEnd().split('\n').length }));

describe('source files', () => {
  it(`have at most ${MOST_LINES} lines, or a reason`, () => {
    const long = sources.filter(({ lines }) => lines > MOST_LINES).map(({ path }) => path);
    expect(long.filter((path) => !(path in REASONS) && !TO_DO.includes(path))).toEqual([]);
    expect(Object.keys(REASONS).filter((path) => !long.includes(path))).toEqual([]);
  });

  it(`have a median of at most ${MOST_LINES_OF_MEDIAN} lines`, () => {
    const lines = sources.map((source) => source.lines).toSorted((a, b) => a - b);
    expect(lines.length).toBeGreaterThan(200);
    expect(lines[Math.floor(lines.length / 2)]).toBeLessThanOrEqual(MOST_LINES_OF_MEDIAN);
  });
});
