import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SCENARIOS } from '../../src/scenarios/index.ts';
import type { Summary } from '../../src/summary.ts';
import type { TimelineEvent } from '../../src/timeline.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Runs the demo as a user does. */
async function demo(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    const { stdout, stderr } = await run(process.execPath, ['--conditions=source', MAIN, ...args]);
    return { code: 0, stdout, stderr };
  } catch (err) {
    const { code, stdout, stderr } = err as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

describe('demo', () => {
  it.each(SCENARIOS.map(({ name }) => name))(
    '%s ends as it must, in JSON lines and nothing else',
    async (name) => {
      const { code, stdout } = await demo('--scenario', name, '--json');
      const lines = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as TimelineEvent | Summary);
      expect(lines.at(-1)).toMatchObject({
        kind: 'summary',
        scenario: name,
        ok: true,
        doubleWrites: 0,
        problems: [],
      });
      expect(lines.slice(0, -1).every(({ kind }) => kind !== 'summary')).toBe(true);
      const hasLesson =
        lines.some(({ kind }) => kind === 'learn') && lines.some(({ kind }) => kind === 'next');
      expect(hasLesson).toBe((lines.at(-1) as Summary).held > 0 || name === 'second-path');
      expect(code).toBe(0);
    },
  );

  it('lists every scenario in its help and in both README files', async () => {
    const { code, stdout } = await demo('-h');
    const readmes = ['../../README.md', '../../../../README.md'].map((path) =>
      readFileSync(new URL(path, import.meta.url), 'utf8'),
    );
    expect(code).toBe(0);
    for (const { name, title } of SCENARIOS) {
      expect(stdout).toContain(`${name} `);
      expect(stdout).toContain(title);
      for (const readme of readmes) expect(readme).toContain(`\`${name}\``);
    }
  });

  it.each([
    [['--scenario', 'no-such'], 'power-loss'],
    [['--no-such'], '--no-such'],
  ])('refuses %j with exit code 2', async (args, named) => {
    const { code, stdout, stderr } = await demo(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(named);
  });
});
