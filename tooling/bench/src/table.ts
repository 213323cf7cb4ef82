/** Prints rows, the first as heading, in aligned columns. */
export function printTable(
  title: string,
  rows: readonly (readonly string[])[],
  output: NodeJS.WritableStream = process.stdout,
): void {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  output.write(`\n${title}\n  ${lines.join('\n  ')}\n`);
}
