import type { Style, Tone } from './style.ts';

/** Text with what it means. */
export interface Cell {
  readonly text: string;
  readonly tone?: Tone;
}

/** Columns as wide as their widest cell; the last one ends where its text does. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  style: Style,
): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.text.length ?? 0)),
  );
  const line = (cells: readonly Cell[]) =>
    cells
      .map(({ text, tone }, column) => {
        const padded = column === head.length - 1 ? text : text.padEnd(widths[column] ?? 0);
        return tone === undefined ? padded : style(tone, padded);
      })
      .join('  ')
      .trimEnd();
  const titles = head.map((text): Cell => ({ text, tone: 'strong' }));
  return [titles, ...rows].map((cells) => `${line(cells)}\n`).join('');
}
