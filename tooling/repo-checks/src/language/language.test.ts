import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../documents.ts';
import { bannedWordsIn } from './banned-words.ts';
import { textFiles } from './text-files.ts';

/** A line that may keep its word. */
interface Exception {
  readonly path: string;
  /** Part of the line. */
  readonly text: string;
  readonly reason: string;
}

const MOST_EXCEPTIONS = 20;
const EXCEPTIONS: readonly Exception[] = [];
/** Lists the words. */
const OWN_SOURCES = 'tooling/repo-checks/src/language/';

/** Folders and files that still have such words. Remove a line once it is clean; never add one. */
const TO_DO: readonly string[] = [];

const isWithin = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);
const files = textFiles().filter((path) => !path.startsWith(OWN_SOURCES));
const clean = files.filter((path) => !TO_DO.some((folder) => isWithin(path, folder)));
const findings = clean.flatMap((path) =>
  bannedWordsIn(readFileSync(join(ROOT, path), 'utf8')).map((finding) => ({ path, ...finding })),
);

describe('sources and documents', () => {
  it('are found', () => {
    expect(files.length).toBeGreaterThan(500);
    expect(files).toEqual(
      expect.arrayContaining([
        'README.md',
        'deploy/Dockerfile',
        'deploy/chart/templates/NOTES.txt',
        'packages/core/src/index.ts',
        'tooling/repo-checks/src/documents.ts',
      ]),
    );
  });

  it('have no banned word', () => {
    const unexpected = findings.filter(
      ({ path, text }) => !EXCEPTIONS.some((each) => each.path === path && text.includes(each.text)),
    );
    expect(unexpected.map(({ path, line, word, text }) => `${path}:${line}: ${word}: ${text}`)).toEqual([]);
  });

  it(`have at most ${MOST_EXCEPTIONS} exceptions, each with a reason and a place`, () => {
    expect(EXCEPTIONS.length).toBeLessThanOrEqual(MOST_EXCEPTIONS);
    for (const { path, text, reason } of EXCEPTIONS) {
      expect(reason.length).toBeGreaterThan(10);
      expect(findings.some((each) => each.path === path && each.text.includes(text))).toBe(true);
    }
  });

  it('to do are there', () => {
    expect(TO_DO.filter((folder) => !files.some((path) => isWithin(path, folder)))).toEqual([]);
  });
});

describe('bannedWordsIn', () => {
  it.each([
    ['without it nobody knows who answers', ['nobody']],
    ['Told of what passes came to, in order', ['told', 'what ... came to']],
    ['the live look before each write', ['look (as a noun)']],
    ['it looks like a node; you look at the log', []],
    ['a fence stands until it is taken back', ['stands', 'takes back']],
    ['it is no Reattach', ['is no X']],
    ['there is no such file, and it is no longer read', []],
    ['print what mends it; a pass is under way', ['mends', 'under way']],
    ['it lets the volume go', []],
    ['it lets it go', ['let go']],
    ['held for ever, begun anew, but for one', ['anew', 'for ever', 'but for']],
  ])('%s -> %j', (text, words) => {
    expect(bannedWordsIn(text).map(({ word }) => word)).toEqual(words);
  });

  it('says where', () => {
    expect(bannedWordsIn('a\n  somebody did it\n')).toEqual([
      { line: 2, word: 'somebody', text: 'somebody did it' },
    ]);
  });
});
