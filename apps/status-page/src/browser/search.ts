/** Items whose text holds every word of the query. @param textOf in lower case */
export function matching<T>(items: readonly T[], query: string, textOf: (item: T) => string): readonly T[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return items;
  return items.filter((item) => {
    const text = textOf(item);
    return words.every((word) => text.includes(word));
  });
}
