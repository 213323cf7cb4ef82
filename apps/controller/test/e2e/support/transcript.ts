import { readFileSync, writeFileSync } from 'node:fs';

const DOCUMENT = new URL('../../../../../docs/quick-start.md', import.meta.url);
const BLOCK = /(?<=^<!-- printed by [^\n]* -->\n\n```console\n)[^]*?(?=^```$)/m;

/** What differs from run to run, and what replaces it. Spaces and lines of tables follow the width of what is in them. */
const VOLATILE: readonly (readonly [RegExp, string])[] = [
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?(?: UTC)?/g, '<time>'],
  [/\b[\w-]+-[0-9a-f]{8}(?=[),;\s])/g, '<identity>'],
  [/\b[0-9a-f]{8}\b/g, '<id>'],
  [/\bKubernetes v\d+(?:\.\d+)+/g, 'Kubernetes <version>'],
  [/127\.0\.0\.1:\d+/g, '127.0.0.1:<port>'],
  [/\b\d+(?:\.\d+)? ?(?:ms|min|s|m|h|d)(?: ?\d+ ?(?:min|s|h|m))?\b/g, '<duration>'],
  [/\bcsi-[0-9a-f]{64}\b/g, '<volumeattachment>'],
  [/\bshop-[abc]\b/g, '<node>'],
  [/\b10\.0\.0\.1[1-3]\b/g, '<address>'],
  [/[ \t]+/g, ' '],
  [/ $/gm, ''],
];

/** The shape of a transcript: all that has to be the same in each run. */
export function shapeOf(transcript: string): string {
  return VOLATILE.reduce((text, [pattern, mask]) => text.replaceAll(pattern, mask), transcript);
}

/** The transcript in the quick start. @throws {Error} when it has none. */
export function documented(): string {
  const [block] = BLOCK.exec(readFileSync(DOCUMENT, 'utf8')) ?? [];
  if (block === undefined) throw new Error('docs/quick-start.md has no transcript');
  return block;
}

/** Puts a transcript in the place of the one in the quick start. */
export function document(transcript: string): void {
  writeFileSync(
    DOCUMENT,
    readFileSync(DOCUMENT, 'utf8').replace(BLOCK, () => transcript),
  );
}
