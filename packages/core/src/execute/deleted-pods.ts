import type { PodFact } from '../model/facts.ts';

/** How often a controller may create its pods on a lost node again: one may be bound while the first is deleted. */
const MAX_GENERATIONS = 3;

/** Pods of one controller on one lost node. */
interface Generations {
  count: number;
  /** All that were seen. */
  readonly uids: Set<string>;
  /** One of the latest generation was deleted. */
  isDeleted: boolean;
}

/**
 * Remembers the pods that releases have deleted, so that one that does not go, or is created on the lost node again, ends in a
 * hold.
 */
export class DeletedPods {
  /** uid -> name of its node. */
  readonly #deleted = new Map<string, string>();
  /** By node name, then by controller. */
  readonly #generations = new Map<string, Map<string, Generations>>();

  /** Records the pods of a node that its release is about to delete. */
  see(pods: readonly PodFact[]): void {
    for (const [key, own] of Map.groupBy(pods.filter(hasController), controllerKey)) {
      const [{ nodeName } = { nodeName: '' }] = own;
      const byController = this.#generations.get(nodeName) ?? new Map<string, Generations>();
      this.#generations.set(nodeName, byController);
      const known = byController.get(key) ?? { count: 1, uids: new Set(), isDeleted: false };
      byController.set(key, known);
      const fresh = own.filter(({ uid }) => !known.uids.has(uid));
      if (fresh.length > 0 && known.isDeleted) {
        known.count++;
        known.isDeleted = false;
      }
      for (const { uid } of fresh) known.uids.add(uid);
    }
  }

  /** The API server accepted the delete of the pod. */
  record(pod: PodFact): void {
    this.#deleted.set(pod.uid, pod.nodeName);
    const known = this.#generations.get(pod.nodeName)?.get(controllerKey(pod));
    if (known) known.isDeleted = true;
  }

  /** Why another delete of the pod would change nothing; `undefined` when it may. */
  whyItStays(pod: PodFact): string | undefined {
    const { namespace, name, finalizers = [], deletedAtOnce, controller } = pod;
    if (finalizers.length > 0 && (deletedAtOnce || this.#deleted.has(pod.uid)))
      return `Pod ${namespace}/${name} was deleted, and stays until its finalizers ${finalizers.join(', ')} are removed`;
    const known = this.#generations.get(pod.nodeName)?.get(controllerKey(pod));
    if (!known || known.count <= MAX_GENERATIONS || !controller) return undefined;
    return `${controller.kind} ${controller.name} has created pod ${namespace}/${name} on the lost node again, after ${MAX_GENERATIONS} of its pods were deleted there`;
  }

  /** Forgets the pods of every other node. */
  retainOnly(nodeNames: ReadonlySet<string>): void {
    for (const [uid, nodeName] of this.#deleted) if (!nodeNames.has(nodeName)) this.#deleted.delete(uid);
    for (const nodeName of this.#generations.keys())
      if (!nodeNames.has(nodeName)) this.#generations.delete(nodeName);
  }
}

function hasController({ controller }: PodFact): boolean {
  return controller !== undefined;
}

function controllerKey({ namespace, controller }: PodFact): string {
  return `${namespace}/${controller?.kind}/${controller?.name}`;
}
