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
  it('has every error code', () => {
    const codes = [...source('backend-error.ts').matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map(
      ([, code = '']) => code,
    );
    expect(tableUnder('Errors')).toEqual(codes.toSorted());
  });

  it('has every instrument', () => {
    const names = [...source('telemetry/instruments.ts').matchAll(/name: '([\w.]+)'/g)].map(
      ([, name = '']) => name,
    );
    expect(names.filter((name) => !README.includes(`\`${name}\``))).toEqual([]);
  });
});
