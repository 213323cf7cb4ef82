import { describe, expect, it } from 'vitest';
import { ALL_OPTIONS } from './all-options.ts';
import { readYaml } from './read-yaml.ts';

const many = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

/** Nine levels of nine aliases each would be 9^9 values. */
const LAUGHS = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
  .concat(
    Array.from({ length: 9 }, (_, index) => `a${index + 1}: &a${index + 1} [${`*a${index}, `.repeat(9)}]`),
  )
  .join('\n');

describe('readYaml', () => {
  it.each([
    ['brackets', '['.repeat(100_000), 'of at most'],
    ['few brackets', `mode: fence\na: ${'['.repeat(30)}`, 'at most 20 levels'],
    ['braces', '{a: '.repeat(10_000), 'at most 20 levels'],
    ['dashes', '- '.repeat(20_000), 'at most 20 levels'],
    ['question marks', '? '.repeat(20_000), 'at most 20 levels'],
    ['indentation', many(300, (index) => `${' '.repeat(index)}a:`), 'at most 20 levels'],
    ['errors on every line', many(10_000, () => 'a: ]'), 'closes nothing'],
    ['keys', many(60_000, (index) => `a${index}: 1`), 'at most 64 KiB'],
    ['an alias bomb', LAUGHS, 'a known key'],
    ['an alias of itself', 'breaker: &a\n  maxNodes: *a', 'a whole number'],
    ['no text', '\u0000\u0001', 'a YAML map'],
  ])('refuses %s with a short message', (_what, content, expected) => {
    const { problems } = readYaml(content, 'f', ALL_OPTIONS, ['rds']);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThanOrEqual(10);
    expect(problems[0]?.expected).toContain(expected);
  });

  it('names the line of a value that nests too deep', () => {
    const { problems } = readYaml(`mode: fence\nhttp: ${'['.repeat(30)}`, 'f', ALL_OPTIONS, ['rds']);
    expect(problems[0]).toMatchObject({ key: 'config', source: 'f:2' });
  });

  it('follows an alias to a value', () => {
    const content = 'gracePeriodMs: &t 40s\nsilentGraceMs: *t';
    const { options, problems } = readYaml(content, 'f', ALL_OPTIONS, ['rds']);
    expect(problems).toEqual([]);
    expect(options.map(({ raw }) => raw)).toEqual(['40s', '40s']);
  });
});
