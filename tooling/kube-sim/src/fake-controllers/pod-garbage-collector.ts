import type { PodObject } from '../kube-object.ts';
import { timestamp } from '../timestamp.ts';
import { ControlLoop, type FakeControllerContext } from './control-loop.ts';
import { hasTaint, isReady, OUT_OF_SERVICE_TAINT } from './node-state.ts';
import { isFinished, isTerminating } from './pod-state.ts';

export interface PodGarbageCollectorOptions {
  /** Time between rounds, ms. Default 20 000. */
  readonly periodMs?: number;
  /** How long a Node must be known to be missing, ms. Default 40 000. */
  readonly quarantineMs?: number;
}

/**
 * Fakes PodGC: force-deletes the pods of a Node that does not exist, and Terminating pods on a Node that is not
 * Ready and out of service. Each is marked Failed with a `DisruptionTarget` condition first.
 * @see kubernetes `pkg/controller/podgc/gc_controller.go`
 */
export class PodGarbageCollector implements Disposable {
  readonly #context: FakeControllerContext;
  readonly #periodMs: number;
  readonly #quarantineMs: number;
  readonly #loop: ControlLoop;
  /** When a round first missed a Node that pods are bound to. */
  #missingSinceMs = new Map<string, number>();

  constructor(context: FakeControllerContext, options: PodGarbageCollectorOptions = {}) {
    const { periodMs = 20_000, quarantineMs = 40_000 } = options;
    this.#context = context;
    this.#periodMs = periodMs;
    this.#quarantineMs = quarantineMs;
    this.#loop = new ControlLoop({ ...context, kinds: [], pass: () => this.#round() });
  }

  [Symbol.dispose](): void {
    this.#loop[Symbol.dispose]();
  }

  #round(): number {
    const { store, clock } = this.#context;
    const nowMs = clock.now();
    const missingSinceMs = this.#missingSinceMs;
    this.#missingSinceMs = new Map();
    for (const pod of store.list('Pod')) {
      const nodeName = pod.spec?.nodeName;
      if (!nodeName) continue;
      const node = store.get('Node', nodeName);
      if (node) {
        const isOutOfService = !isReady(node) && hasTaint(node, OUT_OF_SERVICE_TAINT);
        if (isOutOfService && isTerminating(pod)) this.#forceDelete(pod);
        continue;
      }
      const sinceMs = missingSinceMs.get(nodeName) ?? nowMs;
      this.#missingSinceMs.set(nodeName, sinceMs);
      if (nowMs >= sinceMs + this.#quarantineMs) this.#forceDelete(pod);
    }
    return nowMs + this.#periodMs;
  }

  #forceDelete(pod: PodObject): void {
    const { store, clock } = this.#context;
    const { name, namespace, uid } = pod.metadata;
    if (!isFinished(pod)) {
      const disruption = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByPodGC',
        lastTransitionTime: timestamp(clock.now()),
      };
      const conditions = [...(pod.status?.conditions ?? []), disruption];
      store.patch('Pod', name, { status: { phase: 'Failed', conditions } }, namespace);
    }
    store.delete('Pod', name, namespace, { gracePeriodSeconds: 0, preconditions: { uid } });
  }
}
