import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CrashWorld, type CrashWorldOptions } from '../../test/crash-world.ts';

const MOVED = { 'pv-a': ['node-b'], 'pv-b': ['node-b'] };
const EARLY = { earlyDetection: { enabled: true, leaseStaleMs: 20_000 } };

type Way = CrashWorldOptions & { readonly name: string };
const WAYS: readonly Way[] = [
  { name: 'in-use', policy: { strategy: 'in-use' } },
  { name: 'delete', policy: { strategy: 'delete' } },
  { name: 'out-of-service', policy: { strategy: 'out-of-service' } },
  { name: 'Node deleted', policy: {}, loss: 'deleted' },
  { name: 'one pod with both volumes', policy: {}, sharedPod: true },
  { name: 'in-use without effect', policy: { detachTimeoutMs: 6_000 }, inUseIgnored: true },
];
const EARLY_WAYS: readonly Way[] = (['in-use', 'delete', 'out-of-service'] as const).map((strategy) => ({
  name: `early detection, ${strategy}`,
  policy: { ...EARLY, strategy },
  loss: 'lease-stale',
}));

describe.each([...WAYS, ...EARLY_WAYS])('$name: a process that dies', (way) => {
  /** A Node that never comes back cannot be proved clean: its fences stay. */
  const fences = way.loss === 'deleted' ? 2 : 0;
  const end = { attachedTo: MOVED, fences, taints: [] };

  it('at any one effect ends where one that lives ends', async () => {
    const undisturbed = new CrashWorld(way);
    expect(await undisturbed.run()).toEqual(end);
    expect(undisturbed.violations).toEqual([]);
    expect(undisturbed.effects).toBeGreaterThan(3);
    for (let cut = 1; cut <= undisturbed.effects; cut++) {
      const world = new CrashWorld(way, [cut]);
      expect(await world.run(), `died at effect ${cut}`).toEqual(end);
      expect(world.violations, `died at effect ${cut}`).toEqual([]);
    }
  });

  it('again and again ends there too', async () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cuts, async (numbers) => {
        const world = new CrashWorld(way, numbers);
        expect(await world.run()).toEqual(end);
        expect(world.violations).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});

describe('in mode observe', () => {
  it.each(['not-ready', 'deleted', 'lease-stale'] as const)(
    'nothing changes when a Node is %s',
    async (loss) => {
      const world = new CrashWorld({ policy: { mode: 'observe', ...EARLY }, loss });
      expect(await world.run()).toEqual({
        attachedTo: { 'pv-a': ['node-a'], 'pv-b': ['node-a'] },
        fences: 0,
        taints: [],
      });
    },
  );
});
