import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CrashWorld } from '../test/crash-world.ts';
import type { Policy } from './policy.ts';

const MOVED = { 'pv-a': ['node-b'], 'pv-b': ['node-b'] };

const WAYS: readonly {
  readonly name: string;
  readonly policy: Partial<Policy>;
  readonly deleted?: boolean;
}[] = [
  { name: 'release, in-use', policy: { mode: 'release', strategy: 'in-use' } },
  { name: 'release, delete', policy: { mode: 'release', strategy: 'delete' } },
  { name: 'release, out-of-service', policy: { mode: 'release', strategy: 'out-of-service' } },
  { name: 'release, Node deleted', policy: { mode: 'release' }, deleted: true },
  { name: 'fence, in-use', policy: { strategy: 'in-use' } },
  { name: 'fence, delete', policy: { strategy: 'delete' } },
  { name: 'fence, out-of-service', policy: { strategy: 'out-of-service' } },
  { name: 'fence, Node deleted', policy: {}, deleted: true },
];

describe.each(WAYS)('$name: a process that dies', ({ policy, deleted }) => {
  /** A Node that never comes back cannot be proved clean: its fence stays. */
  const end = { attachedTo: MOVED, fences: deleted && policy.mode !== 'release' ? 1 : 0, taints: [] };

  it('at any one effect ends where one that lives ends', async () => {
    const undisturbed = new CrashWorld(policy, [], deleted);
    expect(await undisturbed.run()).toEqual(end);
    expect(undisturbed.effects).toBeGreaterThan(3);
    for (let cut = 1; cut <= undisturbed.effects; cut++) {
      const world = new CrashWorld(policy, [cut], deleted);
      expect(await world.run(), `died at effect ${cut}`).toEqual(end);
      expect(world.violations, `died at effect ${cut}`).toEqual([]);
    }
  });

  it('again and again ends there too', async () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cuts, async (numbers) => {
        const world = new CrashWorld(policy, numbers, deleted);
        expect(await world.run()).toEqual(end);
        expect(world.violations).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});
