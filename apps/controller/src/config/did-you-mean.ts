/** Changes of a character up to which a name counts as mistyped. */
const MAX_DISTANCE = 2;

/** `; did you mean --mode?`, or nothing when no known name is close. */
export function didYouMean(given: string, known: readonly string[]): string {
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of known) {
    if (Math.abs(name.length - given.length) > MAX_DISTANCE) continue;
    const distance = distanceOf(given.toLowerCase(), name.toLowerCase());
    if (
      distance <= MAX_DISTANCE &&
      distance < Math.max(name.length / 2, 1) &&
      distance < (best?.distance ?? 9)
    ) {
      best = { name, distance };
    }
  }
  return best ? `; did you mean ${best.name}?` : '';
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
function distanceOf(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const at = (y: number, x: number) => (y === i ? row : rows[y])?.[x] ?? 0;
      let least = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + cost);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) least = Math.min(least, at(i - 2, j - 2) + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}
