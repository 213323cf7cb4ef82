import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

function source(path: string): string {
  return readFileSync(new URL(`./${path}`, import.meta.url), 'utf8');
}

/** First cells of the rows of the table under a heading, code marks taken off. */
function tableUnder(heading: string): readonly string[] {
  const section = README.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const cells = [...section.matchAll(/^\| (`[^|]*) \|/gm)].map(([, cell = '']) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)).toSorted();
}

describe('README', () => {
  it('has every option', () => {
    const body =
      source('create-rds-backend.ts').split('export interface RdsBackendOptions {')[1]?.split('\n}')[0] ?? '';
    const options = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = '']) => name);
    expect(tableUnder('Options of `createRdsBackend`')).toEqual(options.toSorted());
  });
});
