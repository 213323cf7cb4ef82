import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documents } from './documents.ts';

/** Targets of relative links, with their anchors. */
function linksIn(text: string): readonly string[] {
  return [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)/g)].map(([, target = '']) => target);
}

/** As GitHub makes them of headings. */
function anchorsIn(text: string): ReadonlySet<string> {
  const headings = text.replaceAll(/^```[^]*?^```/gm, '').matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, title = '']) =>
      title
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function leadsNowhere(target: string, folder: string, own: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = join(folder, path);
  if (path !== '' && !existsSync(file)) return true;
  if (anchor === undefined || (path !== '' && !(file.endsWith('.md') && statSync(file).isFile())))
    return false;
  return !anchorsIn(path === '' ? own : readFileSync(file, 'utf8')).has(anchor);
}

describe('links', () => {
  it.each(documents())('of $path lead somewhere', ({ folder, text }) => {
    expect(linksIn(text).filter((target) => leadsNowhere(target, folder, text))).toEqual([]);
  });

  it('would be refused with an anchor that is not there', () => {
    expect(leadsNowhere('#nowhere', '/', '# Somewhere')).toBe(true);
    expect(leadsNowhere('#some-where-4', '/', '## Some `where`, 4')).toBe(false);
  });
});
