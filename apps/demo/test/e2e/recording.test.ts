import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const RECORDING = new URL('../../../../docs/recordings/demo-power-loss.txt', import.meta.url);
const COMMAND = '$ npx -y pnpm@12.21.0 demo --scenario power-loss';

/**
 * The kinds of the events of a run, in the order in which each first appears, and the rows of its table. Times and names differ from
 * run to run. On a busy machine a volume may be held for a moment.
 */
function shapeOf(text: string): { readonly kinds: readonly string[]; readonly rows: readonly string[] } {
  const kinds = [...text.matchAll(/^ *\d+\.\d s {2}(\w+)/gm)].map(([, kind = '']) => kind);
  const rows = [...text.matchAll(/^ {2}([a-z][^\d]*?) {2}/gm)].map(([, row = '']) => row.trim());
  return { kinds: [...new Set(kinds)].filter((kind) => kind !== 'decided'), rows };
}

describe('docs/recordings/demo-power-loss.txt', () => {
  it('shows what a run shows; WRITE_RECORDING=1 renews it', async () => {
    const { stdout } = await run(process.execPath, ['--conditions=source', MAIN, '--scenario', 'power-loss']);
    if (process.env['WRITE_RECORDING']) await writeFile(RECORDING, `${COMMAND}\n\n${stdout}`);
    const recorded = await readFile(RECORDING, 'utf8');
    expect(recorded.split('\n')[0]).toBe(COMMAND);
    expect(shapeOf(recorded).kinds).toContain('done');
    expect(shapeOf(recorded)).toEqual(shapeOf(stdout));
    expect(recorded).toContain('The scenario ended as it must.');
  });
});
