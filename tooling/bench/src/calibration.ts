import { cpuMs, median } from './measure.ts';

const KEYS = 100_000;
const RUNS = 11;

/**
 * CPU of a fixed piece of work of the kind that passes do (strings, maps, small objects), ms. A figure divided by it can be compared
 * between machines, and between two runs on a machine that does other work.
 */
export async function calibrationMs(): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) times.push(await cpuMs(async () => work()));
  return median(times);
}

function work(): void {
  const objects = new Map<string, { readonly name: string; readonly index: number }>();
  for (let index = 0; index < KEYS; index++) {
    const name = `object-${index}`;
    objects.set(name, { name, index });
  }
  let sum = 0;
  for (let index = 0; index < KEYS; index++) sum += objects.get(`object-${index}`)?.index ?? 0;
  if (sum !== (KEYS * (KEYS - 1)) / 2) throw new Error('the calibration loop lost an object');
}
