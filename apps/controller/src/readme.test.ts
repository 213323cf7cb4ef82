import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { optionsTable } from './help-text.ts';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('README', () => {
  it('has the table of options that the code has', () => {
    expect(README).toContain(`\n\n${optionsTable()}\n\n`);
  });
});
