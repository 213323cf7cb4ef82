import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const ROOT: string = new URL('../../../', import.meta.url).pathname;

/** A Markdown file of the repository. */
export interface MarkdownDocument {
  /** From the root. */
  readonly path: string;
  /** Absolute. */
  readonly folder: string;
  readonly text: string;
}

/** Every README, and everything under docs/. */
export function documents(): readonly MarkdownDocument[] {
  const patterns = ['*.md', 'docs/**/*.md', '{packages,apps,tooling,deploy}/*/README.md'];
  return patterns
    .flatMap((pattern) => globSync(pattern, { cwd: ROOT }))
    .toSorted()
    .map((path) => ({
      path,
      folder: dirname(join(ROOT, path)),
      text: readFileSync(join(ROOT, path), 'utf8'),
    }));
}
