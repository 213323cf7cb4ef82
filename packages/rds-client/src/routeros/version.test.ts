import { describe, expect, it } from 'vitest';
import { hasServerNqn, isSupported, parseVersion, type RouterOsVersion, versionWarnings } from './version.ts';

function version(text: string): RouterOsVersion {
  const parsed = parseVersion(text);
  if (!parsed) throw new TypeError(`${text} is not a version`);
  return parsed;
}

describe('parseVersion', () => {
  it.each([
    ['7.24.2 (stable)', [7, 24, 2]],
    ['7.22rc1 (testing)', [7, 22, 0]],
    ['7.16', [7, 16, 0]],
  ])('%s', (text, [major, minor, patch]) => {
    expect(parseVersion(text)).toEqual({ text, major, minor, patch });
  });

  it.each(['', 'stable', '7', 'v7.24'])('%j -> none', (text) => {
    expect(parseVersion(text)).toBeUndefined();
  });
});

describe('isSupported', () => {
  it.each([
    ['6.49.11', false],
    ['7.15.3', false],
    ['7.16', true],
    ['8.0', true],
  ])('%s -> %s', (text, supported) => {
    expect(isSupported(version(text))).toBe(supported);
  });
});

describe('hasServerNqn', () => {
  it('is true since 7.21', () => {
    expect([hasServerNqn(version('7.20.9')), hasServerNqn(version('7.21'))]).toEqual([false, true]);
  });
});

describe('versionWarnings', () => {
  it.each([
    ['7.16.2', ['File-backed', 'Before RouterOS 7.21', 'CVE-2026-67279']],
    ['7.20', ['Before RouterOS 7.21', 'CVE-2026-67279']],
    ['7.22.9', ['CVE-2026-67279']],
    ['7.23.3', ['CVE-2026-67279']],
    ['7.23.4', []],
    ['7.24', ['CVE-2026-67279']],
    ['7.24.1', ['CVE-2026-67279']],
    ['7.24.2 (stable)', []],
    ['7.25', []],
    ['8.1', []],
  ])('%s', (text, beginnings) => {
    const warnings = versionWarnings(version(text));
    expect(warnings).toHaveLength(beginnings.length);
    for (const [index, beginning] of beginnings.entries()) expect(warnings[index]).toContain(beginning);
  });

  it('names both CVEs', () => {
    expect(versionWarnings(version('7.23.3')).join()).toMatch(/CVE-2026-67279.*CVE-2026-86060/);
  });
});
