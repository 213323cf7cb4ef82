import { describe, expect, it } from 'vitest';
import { filesIn } from './read-tar.ts';
import { tarOf } from './tar.ts';

const entries = [
  { path: 'b/two', mode: 0o755, content: Buffer.from('2'.repeat(513)) },
  { path: `b/${'long/'.repeat(25)}one`, mode: 0o644, content: Buffer.from('1') },
  { path: 'b', mode: 0o755 },
];

describe('tarOf', () => {
  it('writes files that can be read back, also those with long paths', () => {
    const files = filesIn(tarOf(entries, 1_000));
    expect([...files].map(([path, content]) => [path.length, content.toString('utf8').length])).toEqual([
      [130, 1],
      [5, 513],
    ]);
  });

  it('gives the same bytes for the same entries in another order', () => {
    expect(tarOf(entries.toReversed(), 1_000).equals(tarOf(entries, 1_000))).toBe(true);
    expect(tarOf(entries, 1_001).equals(tarOf(entries, 1_000))).toBe(false);
  });

  it('refuses a path that the format cannot hold', () => {
    expect(() => tarOf([{ path: 'x'.repeat(101), mode: 0o644, content: Buffer.from('') }], 0)).toThrow(
      'Expected a path of at most 255 bytes',
    );
  });
});
