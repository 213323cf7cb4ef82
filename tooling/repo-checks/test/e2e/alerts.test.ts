import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CHART } from '../../src/chart/chart-files.ts';

const run = promisify(execFile);
const promtool = process.env['PROMTOOL'];
const RULES = join(CHART, 'rules/reattach.yaml');

/** Prometheus' own judge, where `PROMTOOL` names it (Debian: package `prometheus`). */
describe.skipIf(promtool === undefined)('deploy/chart/rules', () => {
  it('are rules', async () => {
    const { stdout } = await run(promtool ?? '', ['check', 'rules', RULES]);
    expect(stdout).toContain('SUCCESS');
  });

  it('fire when they should, and not before', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'reattach-alerts-'));
    try {
      const tests = await readFile(new URL('alerts.promtool.yaml', import.meta.url), 'utf8');
      await writeFile(join(folder, 'tests.yaml'), tests.replace('[RULES]', JSON.stringify([RULES])));
      const { stdout } = await run(promtool ?? '', ['test', 'rules', join(folder, 'tests.yaml')]);
      expect(stdout).toContain('SUCCESS');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
