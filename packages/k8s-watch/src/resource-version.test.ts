import { describe, expect, it } from 'vitest';
import { isNotNewer, isOlder } from './resource-version.ts';

describe('isNotNewer', () => {
  it.each([
    ['9', '10', true],
    ['10', '9', false],
    ['10', '10', true],
    ['99999999999999999998', '99999999999999999999', true],
    ['abc', '10', false],
    ['10', 'abc', false],
    ['0', '10', false],
  ])('%s against %s -> %s', (a, b, expected) => expect(isNotNewer(a, b)).toBe(expected));
});

describe('isOlder', () => {
  it.each([
    ['9', '10', true],
    ['10', '10', false],
    ['11', '10', false],
  ])('%s against %s -> %s', (a, b, expected) => expect(isOlder(a, b)).toBe(expected));
});
