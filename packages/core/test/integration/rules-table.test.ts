import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RULES } from '../../src/decide/rules.ts';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const TABLE = /(?<=<!-- rules: WRITE_RULES=1 pnpm exec vitest run rules-table -->\n\n)(?:\|.*\n)+/;

/** The table of the rules, in their order. */
function rulesTable(): string {
  const rows = RULES.map(({ name, says }) => `| \`${name}\` | ${says} |\n`);
  return ['| Rule | Decides |\n', '|---|---|\n', ...rows].join('');
}

describe('README.md', () => {
  it('has the table of the rules that rules.ts gives', () => {
    const text = readFileSync(README, 'utf8');
    if (process.env['WRITE_RULES']) writeFileSync(README, text.replace(TABLE, rulesTable()));
    expect(TABLE.exec(readFileSync(README, 'utf8'))?.[0]).toBe(rulesTable());
  });
});
