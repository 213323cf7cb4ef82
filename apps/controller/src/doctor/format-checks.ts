import { styleText } from 'node:util';
import type { Check } from './check.ts';

const MARKS = { ok: 'ok', warning: 'WARNING', failed: 'FAILED' } as const;
const COLOURS = { ok: 'green', warning: 'yellow', failed: 'red' } as const;

/** One line a check, and what mends it below. */
export function formatChecks(checks: readonly Check[], colours: boolean): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, state, detail, fix }) => {
    const mark = MARKS[state].padEnd(7);
    const head = `${colours ? styleText(COLOURS[state], mark) : mark}  ${name.padEnd(width)}  ${detail}`;
    return fix === undefined ? [head] : [head, `${' '.repeat(width + 11)}fix: ${fix}`];
  });
  return `${lines.join('\n')}\n`;
}
