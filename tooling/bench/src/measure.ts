/** User and system time this process spends while `run` runs, ms. */
export async function cpuMs(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** @param share 0 to 1. The smallest value that at least this share of all values does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? Number.NaN;
}

/** Resident memory now, MB. */
export function residentMb(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}

/** Heap in use now, MB. */
export function heapMb(): number {
  return process.memoryUsage().heapUsed / 2 ** 20;
}
