import type { Machine } from '../world/machine.ts';
import type { World } from '../world/world.ts';
import { describeVolume } from './describe-volume.ts';
import { justifications } from './justifications.ts';
import type { CreateOracle } from './oracle.ts';

/** A node that is lost in quiet times must have let its volumes go by then, ms: detection, grace, proof and detach. */
const RELEASE_BOUND_MS = 240_000;
/** For so long before the loss everything else had to be well, ms: evidence takes its time. */
const CALM_BEFORE_MS = 90_000;

/**
 * A volume that no pod can use though the truth gives no reason for it: at the end of a run, when everything was repaired, and
 * before, when one node is lost and nothing else is wrong.
 */
export const watchStuckVolumes: CreateOracle = (world, report) => ({
  sample() {
    const { calmSinceMs } = world;
    if (calmSinceMs === undefined) return;
    const unwell = world.machines.filter(
      ({ unwellSinceMs, isRetired }) => unwellSinceMs !== undefined && !isRetired,
    );
    const [lost] = unwell;
    if (!lost || unwell.length > 1 || world.machines.some(({ isRetired }) => isRetired)) return;
    for (const slot of world.slotsAt(lost.nodeName)) {
      if (
        !mustBeReleased(world, lost, calmSinceMs) ||
        world.diskSlowAtMs > calmSinceMs ||
        justifications(world, slot).length > 0
      )
        continue;
      report(
        'stuck',
        `${slot} is kept by ${lost.nodeName}, lost for ${age(world, lost)} s: ${describeVolume(world, slot)}`,
      );
    }
  },
  atEnd() {
    for (const { slot } of world.scenario.volumes) {
      if (world.isServed(slot) || justifications(world, slot).length > 0) continue;
      report('stuck', `${slot} at the end: ${describeVolume(world, slot)}`);
    }
  },
});

function mustBeReleased(
  { clock }: World,
  { changedAtMs, isPowered, isHung, isKubeletAlive }: Machine,
  calmSinceMs: number,
): boolean {
  const isLost = !isPowered || isHung || !isKubeletAlive;
  return isLost && changedAtMs < clock.now() - RELEASE_BOUND_MS && calmSinceMs < changedAtMs - CALM_BEFORE_MS;
}

function age({ clock }: World, { changedAtMs }: Machine): number {
  return Math.round((clock.now() - changedAtMs) / 1000);
}
