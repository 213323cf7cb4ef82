import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../documents.ts';
import { renderChart } from './render-chart.ts';

const MAIN = join(ROOT, 'tooling/repo-checks/src/main.ts');

async function run(args: readonly string[], input: string): Promise<readonly [number, string, string]> {
  const child = spawn(process.execPath, [MAIN, ...args]);
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return [code as number, out, err];
}

describe('pnpm render-chart', () => {
  it('prints the manifests for the values it is given', async () => {
    const [code, out, err] = await run(['-n', 'storage', '-f', '-'], 'config: { rds: { address: box } }');
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(renderChart({ namespace: 'storage', values: { config: { rds: { address: 'box' } } } }));
  });

  it('says what is wrong with them', async () => {
    const [code, out, err] = await run(['-f', '-'], 'config: { mode: fance }');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('/config/mode must be equal to one of the allowed values');
  });
});
