import type { Manifest } from './packed-package.ts';

/** Bumps of one changeset: package name -> `patch`, `minor` or `major`. */
export type Bumps = Readonly<Record<string, string>>;

/**
 * Packages with a peer dependency on `core` that no changeset gives a major although one gives `core` a major. Changesets
 * alone gives them a patch, so two copies of core could be installed side by side.
 */
export function missingMajors(
  changesets: readonly Bumps[],
  manifests: readonly Pick<Manifest, 'name' | 'peerDependencies'>[],
  core = '@reattach/core',
): readonly string[] {
  const hasMajor = (name: string) => changesets.some((bumps) => bumps[name] === 'major');
  if (!hasMajor(core)) return [];
  return manifests
    .filter(({ name, peerDependencies }) => peerDependencies?.[core] !== undefined && !hasMajor(name))
    .map(({ name }) => name);
}

/** The bumps in the front matter of a changeset. @throws {Error} when there is none. */
export function bumpsOf(text: string, file: string): Bumps {
  const [, front] = /^---\n([\s\S]*?)\n?---\n/.exec(text) ?? [];
  if (front === undefined) throw new Error(`${file}: expected front matter between two lines of ---`);
  const lines = [...front.matchAll(/^["']?([^"':]+(?:\/[^"':]+)?)["']?: *(patch|minor|major)$/gm)];
  return Object.fromEntries(lines.map(([, name = '', bump = '']) => [name, bump]));
}
