import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documents } from './documents.ts';

/** Targets of relative links, without their anchors. */
function linksIn(text: string): readonly string[] {
  return [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, target = '']) => target);
}

describe('links', () => {
  it.each(documents())('of $path lead somewhere', ({ folder, text }) => {
    expect(linksIn(text).filter((target) => !existsSync(join(folder, target)))).toEqual([]);
  });
});
