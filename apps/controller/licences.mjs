import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The licence texts of packages, each under the packages that it covers.
 * @param {readonly { folder: string, name: string, version: string, license?: unknown }[]} packages
 * @param {string} own licence text of this project
 */
export async function licencesOf(packages, own) {
  const covered = new Map();
  for (const { folder, name, version, license } of packages) {
    const files = (await readdir(folder))
      .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
      .toSorted();
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    const found = texts.map((text) => text.trim()).join('\n\n');
    const text = name.startsWith('@reattach/')
      ? own.trim()
      : found || `Licence: ${String(license)} (the package has no text)`;
    covered.set(text, [...(covered.get(text) ?? []), `${name}@${version}`]);
  }
  return [...covered]
    .map(([text, names]) => `${names.toSorted().join('\n')}\n\n${text}\n`)
    .join(`\n${'-'.repeat(80)}\n\n`);
}
