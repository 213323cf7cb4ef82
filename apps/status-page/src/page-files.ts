import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

/** One file of the status page. */
export interface PageFile {
  /** `/`, and what it loads from below `/page/`. */
  readonly path: string;
  readonly contentType: string;
  /** What the browser gets. */
  readonly read: () => string;
}

/** By file name. Put in by the build: the bundle is one file, so it carries the page inside. */
declare const BUNDLED_PAGE: Readonly<Record<string, string>>;

const FOLDER = new URL('./browser/', import.meta.url);
const DOCUMENT = 'index.html';
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ts': 'text/javascript; charset=utf-8',
};

/**
 * The page of this build. From source its modules are sent one by one with their types stripped, so that they are type-checked
 * TypeScript and yet need no build; in a bundle they are one script that the build made of them.
 */
export function pageFiles(): readonly PageFile[] {
  if (typeof BUNDLED_PAGE === 'undefined') return sourceFileNames().map((name) => file(name, readSource));
  return filesOf(BUNDLED_PAGE);
}

/** @param texts by file name, as the build puts them in */
export function filesOf(texts: Readonly<Record<string, string>>): readonly PageFile[] {
  return Object.keys(texts).map((name) => file(name, () => texts[name] ?? ''));
}

/** What of the page is served, tests and settings left out. */
export function sourceFileNames(): readonly string[] {
  return readdirSync(FOLDER).filter(
    (name) => contentTypeOf(name) !== undefined && !name.endsWith('.test.ts'),
  );
}

/** As the browser gets it. */
export function readSource(name: string): string {
  const text = readFileSync(new URL(name, FOLDER), 'utf8');
  return name.endsWith('.ts') ? stripTypeScriptTypes(text) : text;
}

function file(name: string, read: (name: string) => string): PageFile {
  return {
    path: name === DOCUMENT ? '/' : `/page/${name}`,
    contentType: contentTypeOf(name) ?? 'application/octet-stream',
    read: () => read(name),
  };
}

function contentTypeOf(name: string): string | undefined {
  return CONTENT_TYPES[name.slice(name.lastIndexOf('.'))];
}
