import { describe, expect, it } from 'vitest';
import { didYouMean } from './did-you-mean.ts';

describe('didYouMean', () => {
  it.each([
    ['staus', 'status'],
    ['sttaus', 'status'],
    ['explian', 'explain'],
    ['Doctor', 'doctor'],
    ['plans', 'plan'],
  ])('%s -> %s', (given, name) => {
    expect(didYouMean(given, ['status', 'explain', 'doctor', 'plan'])).toBe(`; did you mean ${name}?`);
  });

  it.each(['', 'x', 'delete', 'statistics'])('offers nothing for %j', (given) => {
    expect(didYouMean(given, ['status', 'explain', 'doctor', 'plan'])).toBe('');
  });
});
