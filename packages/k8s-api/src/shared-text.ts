/** Beyond this many different ones they are forgotten: memory is bounded, and what is in use stays as it is. */
const MAX_KEPT = 20_000;

const texts = new Map<string, string>();
const lists = new Map<string, readonly string[]>();

/** One copy of a text that many objects have: each object that is parsed brings its own. */
export function sharedText(text: string): string {
  return sharedUnder(text, texts, () => text);
}

/** One copy of a list that many objects have. */
export function sharedList(list: readonly string[]): readonly string[] {
  return sharedUnder(JSON.stringify(list), lists, () => Object.freeze(list.map(sharedText)));
}

/** One copy per key. @param kept the copies so far, of this kind only. */
export function sharedUnder<T>(key: string, kept: Map<string, T>, make: () => T): T {
  const known = kept.get(key);
  if (known !== undefined) return known;
  if (kept.size >= MAX_KEPT) kept.clear();
  const made = make();
  kept.set(key, made);
  return made;
}
