import { justifications } from './justifications.ts';
import type { CreateOracle } from './oracle.ts';

/** Time a controller has to repair fences that an outsider weakened, ms of calm. */
const REPAIR_MS = 45_000;
/** A controller has cut a lost node off after this time, ms. */
const FENCE_BOUND_MS = 60_000;

/**
 * Two writers: a write of a machine lands after another machine has mounted the volume, be it before the new writer's first
 * write or after. Data is overwritten when such a write hits a block of the new writer. What Kubernetes brought about without
 * a write of ours is reported only where a controller had the means and the time to prevent it.
 */
export const watchWriters: CreateOracle = (world, report) => {
  const { oracle } = world.storage.device;
  /** Nodes from which a controller took something away. */
  const released = new Set<string>();
  /** Node and volume, where Kubernetes let the volume go after a controller had the means and the time to fence the node. */
  const preventable = new Set<string>();
  let seen = 0;
  world.api.store.subscribe(({ kind, type, object }) => {
    if (kind !== 'VolumeAttachment' || type !== 'DELETED') return;
    const { nodeName, source } = object['spec'] as {
      nodeName: string;
      source: { persistentVolumeName?: string };
    };
    const { persistentVolumeName: slot = '' } = source;
    const { unwellSinceMs } =
      world.machines.find((each) => each.nodeName === nodeName && !each.isRetired) ?? {};
    const { calmSinceMs, clock } = world;
    if (unwellSinceMs === undefined || calmSinceMs === undefined || calmSinceMs > unwellSinceMs) return;
    const isLate = clock.now() - unwellSinceMs > FENCE_BOUND_MS && justifications(world, slot).length === 0;
    if (isLate) preventable.add(`${nodeName} ${slot}`);
  });
  world.onRelease((nodeName) => released.add(nodeName));
  world.storage.onWrite(() => {
    const violations = oracle.violations.slice(seen);
    seen += violations.length;
    for (const { slot, host, newerHost, hadNewerWritten, isOverwrite } of violations) {
      const [stale, newer] = [host, newerHost].map((name) => name.split('~')[0]);
      const nodeName = world.machines.find(({ id }) => id === stale)?.nodeName ?? '';
      const isOurs = released.has(nodeName) || preventable.has(`${nodeName} ${slot}`);
      if (stale === newer || !isOurs || world.calmSinceTamperingMs < REPAIR_MS) continue;
      const when = hadNewerWritten ? 'had written' : 'had mounted it';
      report('double-write', `${stale} wrote to ${slot} after ${newer} ${when}`);
      if (isOverwrite) report('overwrite', `${stale} overwrote data of ${newer} on ${slot}`);
    }
  });
  return {};
};
