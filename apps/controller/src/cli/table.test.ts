import { describe, expect, it } from 'vitest';
import { plainStyle, type Style } from './style.ts';
import { formatTable } from './table.ts';

const tagged: Style = (tone, text) => `<${tone}>${text}</>`;

describe('formatTable', () => {
  it('makes columns as wide as their widest cell, and leaves no blanks at the end', () => {
    const rows = [
      [{ text: 'a' }, { text: 'node-1' }, { text: '' }],
      [{ text: 'longer' }, { text: 'n' }, { text: 'last' }],
    ];
    expect(formatTable(['VOLUME', 'NODE', 'X'], rows, plainStyle)).toBe(
      ['VOLUME  NODE    X', 'a       node-1', 'longer  n       last', ''].join('\n'),
    );
  });

  it('keeps columns straight whatever the colours', () => {
    const table = formatTable(['A', 'B'], [[{ text: 'x', tone: 'bad' }, { text: 'y' }]], tagged);
    expect(table.replaceAll(/<[^>]*>/g, '')).toBe('A  B\nx  y\n');
    expect(table).toContain('<bad>x</>');
  });
});
