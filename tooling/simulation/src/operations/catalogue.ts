import type { RunRandom } from '../time/run-random.ts';
import { API } from './api.ts';
import { BACKEND } from './backend.ts';
import { CLOCKS } from './clocks.ts';
import { CONTROLLERS } from './controllers.ts';
import { KUBELET } from './kubelet.ts';
import { NETWORK } from './network.ts';
import { NODES } from './nodes.ts';
import type { Operation, OperationType } from './operation.ts';
import { OPERATOR } from './operator.ts';
import { POWER } from './power.ts';
import { WORKLOAD } from './workload.ts';

/** Every operation there is, by kind. */
export const OPERATIONS: ReadonlyMap<string, OperationType> = new Map(
  [POWER, KUBELET, NODES, NETWORK, BACKEND, CLOCKS, CONTROLLERS, API, WORKLOAD, OPERATOR].flatMap((family) =>
    Object.entries(family),
  ),
);

const WEIGHTS: Readonly<Record<string, number>> = Object.fromEntries(
  [...OPERATIONS].map(([kind, { weight }]) => [kind, weight]),
);

/** Longest time over which operations begin, ms. */
const SPAN_MS = 240_000;

/** Draws what happens in a run: 2 to 9 operations, some of them at once, most of them about the same two nodes. */
export function drawOperations(random: RunRandom, nodeNames: readonly string[]): readonly Operation[] {
  const count = random.integer(2, 9);
  const favourites = [random.pick(nodeNames), random.pick(nodeNames)];
  const operations: Operation[] = [];
  let atMs = random.integer(0, 20_000);
  for (let index = 0; index < count; index++) {
    if (index > 0 && !random.chance(0.25)) atMs += random.integer(0, Math.floor((2 * SPAN_MS) / count));
    operations.push({
      atMs,
      kind: random.weighted(WEIGHTS),
      node: random.chance(0.8) ? random.pick(favourites) : random.pick(nodeNames),
      value: Math.floor(random.next() * 1e6) / 1e6,
      ...(random.chance(0.7) && { lastsMs: random.integer(2_000, 150_000) }),
    });
  }
  return operations;
}
