import { describe, expect, it } from 'vitest';
import type { Command } from './command.ts';
import { OUTPUT_FLAG } from './command.ts';
import { parseCall } from './parse-call.ts';

const command: Command = {
  name: 'thing',
  args: ['<node>'],
  summary: '',
  flags: [{ name: '--all', description: '' }, OUTPUT_FLAG],
  run: async () => 0,
};

describe('parseCall', () => {
  it.each([
    [['node-a'], [], []],
    [
      ['node-a', '-o', 'json', '--all'],
      [
        ['--output', 'json'],
        ['--all', true],
      ],
      [],
    ],
    [['-ojson', 'node-a'], [['--output', 'json']], []],
    [['--output=yaml', 'node-a'], [['--output', 'yaml']], []],
    [['--mode', 'fence', 'node-a'], [], ['--mode=fence']],
    [['--mode=fence', 'node-a'], [], ['--mode=fence']],
    [['--early-detection', 'node-a'], [], ['--early-detection']],
    [['--all', '--', 'node-a'], [['--all', true]], []],
  ] as const)('%j', (argv, flags, configArgv) => {
    const call = parseCall(command, argv);
    expect(call).toEqual({ args: ['node-a'], flags: new Map<string, string | true>(flags), configArgv });
  });

  it.each([
    [[], 'Expected <node> after reattach thing'],
    [['a', 'b'], 'Expected only <node> after thing, got "b"'],
    [['a', '--all=yes'], 'Expected --all without a value, got "yes"'],
    [['a', '--nothing'], 'Expected a flag that thing knows, got --nothing'],
    [['a', '-x'], 'Expected a flag that thing knows, got -x'],
    [['a', '-o', 'xml'], 'Expected table, json or yaml after --output, got "xml"'],
    [['a', '--output='], 'Expected table, json or yaml after --output'],
  ])('%j -> %s', (argv, message) => {
    expect(() => parseCall(command, argv)).toThrow(message);
  });
});
