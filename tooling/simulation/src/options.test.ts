import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.ts';

describe('parseOptions', () => {
  it('runs 100 seeds from 1 by default, without a limit', () => {
    expect(parseOptions([])).toMatchObject({ from: 1, seeds: 100, newSeeds: 0, json: false, shrink: true });
    expect(parseOptions([]).budgetSeconds).toBe(Number.POSITIVE_INFINITY);
  });

  it('reads what is given', () => {
    const args = [
      '--',
      '--seeds',
      '7',
      '--from',
      '3',
      '--new',
      '2',
      '--budget-seconds',
      '60',
      '--json',
      '--without',
      'reboot',
    ];
    expect(parseOptions(args)).toMatchObject({
      seeds: 7,
      from: 3,
      newSeeds: 2,
      budgetSeconds: 60,
      json: true,
      without: ['reboot'],
    });
  });

  it.each([
    [['--seeds', 'many'], /--seeds to be a whole number of at least 1, got "many"/],
    [['--budget-seconds', '0'], /--budget-seconds to be a whole number of at least 1, got "0"/],
    [['--without', 'earthquake'], /--without to name operations among .*power-loss.*, got earthquake/],
  ])('refuses %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
