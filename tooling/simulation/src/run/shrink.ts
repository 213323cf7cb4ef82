import type { Operation } from '../operations/operation.ts';
import type { FindingKind } from '../oracles/oracle.ts';
import { runSeed } from './run-seed.ts';

/** Runs that a shrink may take. */
const MAX_RUNS = 120;

/**
 * The shortest list of operations, of those that the seed drew, that still shows a finding of this kind: whole operations are
 * left out first, in halves and then one by one.
 */
export async function shrink(
  seed: number,
  operations: readonly Operation[],
  kind: FindingKind,
): Promise<readonly Operation[]> {
  let runs = 0;
  const shows = async (candidate: readonly Operation[]): Promise<boolean> => {
    runs += 1;
    if (runs > MAX_RUNS) return false;
    const { findings } = await runSeed(seed, { operations: candidate });
    return findings.some((finding) => finding.kind === kind);
  };
  let shortest = operations;
  let size = Math.ceil(shortest.length / 2);
  while (size >= 1) {
    const candidate = await firstShorter(shortest, size, shows);
    if (candidate) shortest = candidate;
    else size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return shortest;
}

/** The list without some run of `size` operations that it does not need. */
async function firstShorter(
  operations: readonly Operation[],
  size: number,
  shows: (candidate: readonly Operation[]) => Promise<boolean>,
): Promise<readonly Operation[] | undefined> {
  if (operations.length === 0) return undefined;
  for (let start = 0; start < operations.length; start += size) {
    const candidate = operations.toSpliced(start, size);
    if (await shows(candidate)) return candidate;
  }
  return undefined;
}
