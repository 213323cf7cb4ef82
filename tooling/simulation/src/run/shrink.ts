import type { Operation } from '../operations/operation.ts';

/** Runs that a shrink may take. */
const MAX_RUNS = 120;

/**
 * The shortest list of operations found that still shows what was found: whole operations are left out, first many at once
 * and then one by one.
 * @param shows runs a list and says whether it does.
 */
export async function shrink(
  operations: readonly Operation[],
  shows: (candidate: readonly Operation[]) => Promise<boolean>,
): Promise<readonly Operation[]> {
  let runs = 0;
  let shortest = operations;
  let size = Math.ceil(shortest.length / 2);
  const tries = async (candidate: readonly Operation[]): Promise<boolean> => {
    runs += 1;
    return runs <= MAX_RUNS && (await shows(candidate));
  };
  while (size >= 1) {
    const candidate = await firstShorter(shortest, size, tries);
    if (candidate) shortest = candidate;
    else size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return shortest;
}

/** The list without some `size` operations in a row that it does not need. */
async function firstShorter(
  operations: readonly Operation[],
  size: number,
  shows: (candidate: readonly Operation[]) => Promise<boolean>,
): Promise<readonly Operation[] | undefined> {
  for (let start = 0; start < operations.length; start += size) {
    const candidate = operations.toSpliced(start, size);
    if (await shows(candidate)) return candidate;
  }
  return undefined;
}
