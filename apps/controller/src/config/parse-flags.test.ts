import { describe, expect, it } from 'vitest';
import { type FlagSpec, parseFlags } from './parse-flags.ts';

const SPECS: readonly FlagSpec[] = [
  { name: '--output', short: '-o', value: 'required' },
  { name: '--watch', short: '-w', value: 'none' },
  { name: '--events', value: 'optional' },
];

describe('parseFlags', () => {
  it.each([
    [['--output', 'json'], ['--output json'], []],
    [['--output=json', 'a'], ['--output json'], ['a']],
    [['-o', 'json'], ['--output json'], []],
    [['-ojson'], ['--output json'], []],
    [['-o=json'], ['--output json'], []],
    [['--output='], ['--output '], []],
    [['-w', 'a'], ['--watch -'], ['a']],
    [['--events', 'a'], ['--events -'], ['a']],
    [['--events=false'], ['--events false'], []],
    [['a', '--', '--watch'], [], ['a', '--watch']],
    [['-'], [], ['-']],
  ] as const)('%j', (argv, flags, positionals) => {
    const parsed = parseFlags(argv, SPECS);
    expect(parsed.flags.map(({ spec, value }) => `${spec.name} ${value ?? '-'}`)).toEqual(flags);
    expect(parsed.positionals).toEqual(positionals);
    expect(parsed.problems).toEqual([]);
  });

  it.each([
    [['--outputs', 'json'], 'unknown-flag', '--outputs'],
    [['-x'], 'unknown-flag', '-x'],
    [['--output'], 'value-missing', '--output'],
    [['--output', '--watch'], 'value-missing', '--output'],
    [['-w=yes'], 'value-unexpected', '-w'],
  ] as const)('%j -> %s', (argv, kind, flag) => {
    expect(parseFlags(argv, SPECS).problems).toMatchObject([{ kind, flag }]);
  });
});
