import type { Style } from '../cli/style.ts';
import type { Check } from './check.ts';

const MARKS = { ok: 'ok', warning: 'WARNING', failed: 'FAILED' } as const;
const TONES = { ok: 'good', warning: 'warn', failed: 'bad' } as const;

/** One line for each check, with its fix below. */
export function formatChecks(checks: readonly Check[], style: Style): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, state, detail, fix }) => {
    const mark = style(TONES[state], MARKS[state].padEnd(7));
    const head = `${mark}  ${name.padEnd(width)}  ${detail}`;
    return fix === undefined ? [head] : [head, `${' '.repeat(width + 11)}fix: ${fix}`];
  });
  return `${lines.join('\n')}\n`;
}
