import { describe, expect, it } from 'vitest';
import { BACKEND_KINDS, type BackendKind } from '../storage/storage-product.ts';
import type { World } from '../world/world.ts';
import { runSeed } from './run-seed.ts';

const POWER_LOSS = { atMs: 150_000, kind: 'power-loss', node: 'node-b', value: 0.5 };
/** Detection 50 s, grace, quiesce and detach. */
const RELEASED_MS = 120_000;

/** When node-b lost its power and was released, epoch ms. */
async function play(seed: number, backend: BackendKind) {
  let world: World | undefined;
  const seen: { lostAtMs?: number; releasedAtMs?: number } = {};
  const { scenario } = await runSeed(seed, {
    backend,
    operations: [POWER_LOSS],
    onWorld(created) {
      world = created;
      created.onRelease((nodeName) => {
        if (nodeName === 'node-b') seen.releasedAtMs ??= created.clock.now();
      });
    },
    onOperation: () => {
      seen.lostAtMs = world?.clock.now();
    },
  });
  const isOrdinary =
    scenario.volumes.every(({ hasSibling }) => !hasSibling) &&
    scenario.machines.every(
      ({ keepAliveTimeoutMs, hasSecondPath }) =>
        keepAliveTimeoutMs >= 5_000 && keepAliveTimeoutMs <= 15_000 && !hasSecondPath,
    );
  return { seed, isOrdinary, ...seen };
}

describe('a plain power loss', () => {
  it.each(BACKEND_KINDS)('at a backend of kind %s is released without a person', async (backend) => {
    const runs = [];
    for (let seed = 1; seed <= 6; seed++) runs.push(await play(seed, backend));
    const ordinary = runs.filter(({ isOrdinary }) => isOrdinary);
    expect(ordinary.length).toBeGreaterThan(2);
    const late = ordinary.filter(
      ({ lostAtMs = 0, releasedAtMs = Number.POSITIVE_INFINITY }) => releasedAtMs - lostAtMs > RELEASED_MS,
    );
    expect(late).toEqual([]);
  });
});
