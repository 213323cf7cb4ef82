import { describe, expect, it } from 'vitest';
import { parseVersion } from './kubernetes-version.ts';

describe('parseVersion', () => {
  it.each([
    ['Kubernetes v1.20.2\n', 'v1.20.2', 20],
    ['Kubernetes v1.36.0-alpha.1+abc', 'v1.36.0-alpha.1+abc', 36],
  ])('%j -> %s', (text, gitVersion, minor) => {
    expect(parseVersion(text)).toEqual({ gitVersion, minor });
  });

  it.each(['', 'unknown flag'])('refuses %j', (text) => {
    expect(() => parseVersion(text)).toThrow(`got ${JSON.stringify(text)}`);
  });
});
