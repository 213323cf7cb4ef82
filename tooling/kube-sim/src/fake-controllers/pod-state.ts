import type { NodeTaint, PodObject, Toleration } from '../kube-object.ts';
import { uniqueVolumeName } from '../manifests.ts';
import type { ObjectStore } from '../object-store.ts';

/** A CSI volume that a pod mounts through a claim. */
export interface CsiVolume {
  /** Name of the PersistentVolume. */
  readonly persistentVolume: string;
  readonly driver: string;
  readonly handle: string;
  /** As in a Node's volumesInUse. */
  readonly uniqueName: string;
  /** ReadWriteMany, ReadOnlyMany or no mode at all: several nodes may have it attached. */
  readonly multiAttach: boolean;
}

/** The CSI volume behind a PersistentVolume; undefined for another kind of volume or none. */
export function csiVolume(store: ObjectStore, persistentVolume: string): CsiVolume | undefined {
  const { csi, accessModes = [] } = store.get('PersistentVolume', persistentVolume)?.spec ?? {};
  if (!csi) return undefined;
  return {
    persistentVolume,
    driver: csi.driver,
    handle: csi.volumeHandle,
    uniqueName: uniqueVolumeName(csi.driver, csi.volumeHandle),
    multiAttach:
      accessModes.length === 0 ||
      accessModes.some((mode) => mode === 'ReadWriteMany' || mode === 'ReadOnlyMany'),
  };
}

/** The CSI volumes of the claims that are bound, and whether all claims are. */
export function volumesOf(
  store: ObjectStore,
  pod: PodObject,
): { readonly volumes: readonly CsiVolume[]; readonly allBound: boolean } {
  const volumes: CsiVolume[] = [];
  let allBound = true;
  for (const { persistentVolumeClaim } of pod.spec?.volumes ?? []) {
    if (!persistentVolumeClaim) continue;
    const claim = store.get('PersistentVolumeClaim', persistentVolumeClaim.claimName, pod.metadata.namespace);
    const name = claim?.spec?.volumeName;
    if (name === undefined || !store.get('PersistentVolume', name)) allBound = false;
    const volume = name === undefined ? undefined : csiVolume(store, name);
    if (volume) volumes.push(volume);
  }
  return { volumes, allBound };
}

export function isTerminating(pod: PodObject): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/**
 * None of its containers runs or is about to: the attach-detach controller then takes a Terminating pod for a terminated one.
 * @see `notRunning` in kubernetes `pkg/volume/util/util.go`
 */
export function hasStopped(pod: PodObject): boolean {
  const statuses = pod.status?.containerStatuses ?? [];
  return !statuses.some(({ state }) => !state.terminated && !state.waiting);
}

/** Succeeded or Failed: it never runs again. */
export function isFinished(pod: PodObject): boolean {
  const phase = pod.status?.phase;
  return phase === 'Succeeded' || phase === 'Failed';
}

/** Tolerations that fit a taint. @see `ToleratesTaint` in kubernetes `staging/src/k8s.io/api/core/v1/toleration.go` */
export function tolerationsOf(pod: PodObject, taint: NodeTaint): readonly Toleration[] {
  return (pod.spec?.tolerations ?? []).filter(
    ({ key, effect, operator = 'Equal', value }) =>
      (!effect || effect === taint.effect) &&
      (!key || key === taint.key) &&
      (operator === 'Exists' || (key !== undefined && (value ?? '') === (taint.value ?? ''))),
  );
}
