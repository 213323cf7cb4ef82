import { randomInt } from 'node:crypto';
import type { SimulateOptions } from './options.ts';
import type { Finding } from './oracles/oracle.ts';
import { ProgressBar } from './progress-bar.ts';
import { describeOperation } from './run/describe-operation.ts';
import { type RunResult, runSeed } from './run/run-seed.ts';
import { shrink } from './run/shrink.ts';
import { Tally } from './summary.ts';

/** Runs seeds and prints findings and the summary. @returns the exit code: 1 when anything was found. */
export async function simulate(options: SimulateOptions): Promise<number> {
  const { budgetSeconds, json, failFast, without, backend } = options;
  const seeds = seedsOf(options);
  const startedMs = performance.now();
  const tally = new Tally();
  let cpuSeconds = 0;
  let found = 0;
  {
    using progress = new ProgressBar(process.stderr, seeds.length, !json);
    for (const seed of seeds) {
      if (performance.now() - startedMs > budgetSeconds * 1000) break;
      const before = process.cpuUsage();
      const result = await runSeed(seed, { without, backend });
      const { user, system } = process.cpuUsage(before);
      cpuSeconds += (user + system) / 1e6;
      tally.add(result.findings);
      if (result.findings.length > 0) {
        found += 1;
        await printFindings(result, options);
      }
      progress.update(tally.runs, found);
      if (found > 0 && failFast) break;
    }
  }
  console.log(JSON.stringify(tally.summary(cpuSeconds)));
  return found === 0 ? 0 : 1;
}

/** The fixed seeds, then the new ones. */
function seedsOf({ from, seeds, newSeeds }: SimulateOptions): readonly number[] {
  const firstNew = randomInt(1_000_000_000);
  return [
    ...Array.from({ length: seeds }, (_, index) => from + index),
    ...Array.from({ length: newSeeds }, (_, index) => firstNew + index),
  ];
}

async function printFindings(
  { seed, operations, findings }: RunResult,
  options: SimulateOptions,
): Promise<void> {
  for (const finding of findings) {
    const shortest = options.shrink
      ? await shrink(operations, (candidate) => shows(seed, candidate, finding, options))
      : operations;
    console.log(
      options.json
        ? JSON.stringify({ seed, ...finding, kind: 'finding', finding: finding.kind, operations: shortest })
        : describeFinding(seed, finding, shortest, options),
    );
  }
}

async function shows(
  seed: number,
  operations: RunResult['operations'],
  { kind }: Finding,
  { backend }: SimulateOptions,
): Promise<boolean> {
  const { findings } = await runSeed(seed, { operations, backend });
  return findings.some((finding) => finding.kind === kind);
}

function describeFinding(
  seed: number,
  { kind, atMs, detail }: Finding,
  operations: RunResult['operations'],
  { backend }: SimulateOptions,
): string {
  const flag = backend === undefined ? '' : ` --backend ${backend}`;
  return [
    `seed ${seed}: ${kind} at ${(atMs / 1000).toFixed(1)} s: ${detail}`,
    ...operations.map((operation) => `    ${describeOperation(operation)}`),
    `  replay: pnpm simulate --replay ${seed}${flag} --operations '${JSON.stringify(operations)}'`,
  ].join('\n');
}
