import { describe, expect, it } from 'vitest';
import { documents } from './documents.ts';

/** Rows with another number of cells than the head of their table; a `|` in code counts, too, unless it is escaped. */
function brokenRowsIn(text: string): readonly string[] {
  const broken: string[] = [];
  let cells: number | undefined;
  for (const line of text.replaceAll(/^```[^]*?^```$/gm, '').split('\n')) {
    if (!line.startsWith('|')) cells = undefined;
    else {
      const count = line
        .trimEnd()
        .replaceAll(/\\\||^\||\|$/g, '')
        .split('|').length;
      cells ??= count;
      if (count !== cells) broken.push(line);
    }
  }
  return broken;
}

describe('tables', () => {
  it.each(documents())('of $path are whole', ({ text }) => {
    expect(brokenRowsIn(text)).toEqual([]);
  });

  it('would be found broken', () => {
    expect(brokenRowsIn('| a | b |\n|---|---|\n| `x|y` | z |\n| `x\\|y` | z |')).toEqual(['| `x|y` | z |']);
  });
});
