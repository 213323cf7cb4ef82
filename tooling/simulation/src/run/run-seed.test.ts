import { describe, expect, it } from 'vitest';
import { type RunResult, runSeed } from './run-seed.ts';

/** Generous: a run takes a tenth of a second, and machines are slow at times. */
const TIMEOUT_MS = 120_000;

/** A run with everything that controllers said and asked for. */
async function traced(seed: number): Promise<{ lines: string[]; result: RunResult }> {
  const lines: string[] = [];
  const result = await runSeed(seed, {
    onWorld: (world) => {
      world.log.onEntry(({ atMs, source, message }) => lines.push(`${atMs} ${source} ${message}`));
      world.api.onServed(({ atMs, client, request }) =>
        lines.push(`${atMs} ${client} ${request.method} ${request.path}`),
      );
    },
  });
  return { lines, result };
}

/** Some of those that found something once, and some that never did. */
const SEEDS = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233];

describe('runSeed', () => {
  it.each(SEEDS)('finds nothing with seed %i', { timeout: TIMEOUT_MS }, async (seed) => {
    const { findings, operations } = await runSeed(seed);
    expect({ findings, operations: findings.length === 0 ? [] : operations }).toEqual({
      findings: [],
      operations: [],
    });
  });

  it('gives the same result for the same seed', { timeout: TIMEOUT_MS }, async () => {
    const [first, second] = [await traced(3), await traced(3)];
    expect(first.lines.length).toBeGreaterThan(20);
    expect(second).toEqual(first);
  });

  it('moves a volume off a node that lost its power, without a finding', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const operations = [{ atMs: 1_000, kind: 'power-loss', node: 'node-a', value: 0.5 }];
    const messages: string[] = [];
    const { findings } = await runSeed(1, {
      operations,
      onWorld: (world) => world.log.onEntry(({ message }) => messages.push(message)),
    });
    expect(findings).toEqual([]);
    expect(messages).toContain('Fenced node');
  });
});
