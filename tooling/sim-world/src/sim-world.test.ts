import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { SimWorld } from './sim-world.ts';

/** A settled world on a fake clock. */
async function settled(): Promise<{ clock: FakeClock; world: SimWorld }> {
  const clock = new FakeClock();
  const world = await SimWorld.start({ clock });
  await clock.advance(3_000);
  return { clock, world };
}

describe('SimWorld', () => {
  it('runs every replica and writes to every volume from the node it is mounted on', async () => {
    const { clock, world } = await settled();
    expect(world.isSettled).toBe(true);
    expect(world.podsOn('node-a')).toHaveLength(2);
    await clock.advance(1_000);
    for (const { slot } of world.rds.device.volumes)
      expect(Object.keys(world.rds.oracle.writes(slot))).toHaveLength(1);
    expect(world.rds.oracle.doubleWrites).toBe(0);
    await world[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves volumes attached to a node without power', async () => {
    const { clock, world } = await settled();
    await using _world = world;
    world.powerOff('node-a');
    const before = world.rds.oracle.totalWrites;
    const attached = world.attachedTo('node-a');
    await clock.advance(30_000);
    expect(world.attachedTo('node-a')).toEqual(attached);
    expect(attached).toHaveLength(2);
    expect(world.kube.store.get('Node', 'node-a')?.status?.conditions?.[0]?.status).toBe('Unknown');
    expect(world.rds.oracle.totalWrites).toBeGreaterThan(before);
  });

  it('keeps a volume attached whose node is cut off from the backend, because its umount hangs', async () => {
    const { clock, world } = await settled();
    await using _world = world;
    const attached = world.attachedTo('node-a');
    world.node('node-a').host.partition();
    await clock.advance(1_000);
    for (const pod of world.podsOn('node-a'))
      world.kube.store.delete('Pod', pod, 'default', { gracePeriodSeconds: 0 });
    await clock.advance(2_000);
    expect(world.attachedTo('node-a')).toEqual(attached);
    world.node('node-a').host.heal();
    await clock.advance(10_000);
    expect(world.isSettled).toBe(true);
    expect(world.rds.oracle.doubleWrites).toBe(0);
  });

  it('shows the oracle a second writer when a volume is released while its node still writes', async () => {
    const { clock, world } = await settled();
    await using _world = world;
    const { kubelet } = world.node('node-a');
    kubelet.stop();
    await clock.advance(5_000);
    for (const pod of world.podsOn('node-a')) {
      world.kube.store.delete('Pod', pod, 'default', { gracePeriodSeconds: 0 });
    }
    world.kube.store.patch('Node', 'node-a', { status: { volumesInUse: [] } });
    await clock.advance(5_000);
    expect(world.attachedTo('node-a')).toEqual([]);
    expect(world.rds.oracle.doubleWrites).toBeGreaterThan(0);
  });
});
