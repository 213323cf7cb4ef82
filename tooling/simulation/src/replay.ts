import type { Operation } from './operations/operation.ts';
import type { SimulateOptions } from './options.ts';
import { checkOperations, printTimeline } from './run/timeline.ts';

/** Prints one run. @returns the exit code. */
export async function replay(
  seed: number,
  { operations, backend }: Pick<SimulateOptions, 'operations' | 'backend'>,
): Promise<number> {
  const read = operations === undefined ? undefined : readOperations(operations);
  const { findings, scenario } = await printTimeline(seed, { operations: read, backend }, console.log);
  console.log(JSON.stringify({ kind: 'scenario', ...scenario }));
  return findings.length === 0 ? 0 : 1;
}

/** @throws {TypeError} for a value that is not a list of operations. */
function readOperations(json: string): readonly Operation[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw new TypeError(`Expected --operations to be JSON, got ${json}`);
  }
  if (!Array.isArray(parsed)) throw new TypeError(`Expected --operations to be a list, got ${json}`);
  checkOperations(parsed as Operation[]);
  return parsed as Operation[];
}
