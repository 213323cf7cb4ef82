import type { NodeTaint, PodObject } from '../kube-object.ts';
import { ControlLoop, earliest, type FakeControllerContext } from './control-loop.ts';
import { taintsOf } from './node-state.ts';
import { isTerminating, tolerationsOf } from './pod-state.ts';

export interface TaintEvictionOptions {
  /**
   * How long a pod without tolerations of its own stays on a node that is not ready or unreachable, ms. Default 300 000: the
   * tolerationSeconds that admission gives every pod.
   */
  readonly evictAfterMs?: number;
}

const TOLERATED_BY_DEFAULT: ReadonlySet<string> = new Set([
  'node.kubernetes.io/not-ready',
  'node.kubernetes.io/unreachable',
]);

/**
 * Fakes the taint-eviction controller: deletes, with their grace, pods that do not tolerate a NoExecute taint of their
 * node. Without a kubelet that only makes them Terminating.
 * @see kubernetes `pkg/controller/tainteviction/taint_eviction.go`
 */
export class TaintEviction implements Disposable {
  readonly #context: FakeControllerContext;
  readonly #evictAfterMs: number;
  readonly #loop: ControlLoop;
  /** When a taint of its node was first seen, by pod uid and taint key. */
  #taintedSinceMs = new Map<string, number>();

  constructor(context: FakeControllerContext, options: TaintEvictionOptions = {}) {
    this.#context = context;
    this.#evictAfterMs = options.evictAfterMs ?? 300_000;
    this.#loop = new ControlLoop({ ...context, kinds: ['Node', 'Pod'], pass: () => this.#pass() });
  }

  [Symbol.dispose](): void {
    this.#loop[Symbol.dispose]();
  }

  #pass(): number | undefined {
    const { store, clock } = this.#context;
    const nowMs = clock.now();
    const taintedSinceMs = this.#taintedSinceMs;
    this.#taintedSinceMs = new Map();
    const deadlines: number[] = [];
    for (const pod of store.list('Pod')) {
      const { name, namespace, uid } = pod.metadata;
      if (!pod.spec?.nodeName || isTerminating(pod)) continue;
      const taints = taintsOf(store.get('Node', pod.spec.nodeName)).filter(
        ({ effect }) => effect === 'NoExecute',
      );
      const dueMs = taints.map((taint) => {
        const key = `${uid} ${taint.key}`;
        const sinceMs = taintedSinceMs.get(key) ?? nowMs;
        this.#taintedSinceMs.set(key, sinceMs);
        return sinceMs + this.#toleratedMs(pod, taint);
      });
      const evictAtMs = earliest(dueMs) ?? Number.POSITIVE_INFINITY;
      if (nowMs >= evictAtMs) store.delete('Pod', name, namespace, { preconditions: { uid } });
      else deadlines.push(evictAtMs);
    }
    return earliest(deadlines);
  }

  #toleratedMs(pod: PodObject, taint: NodeTaint): number {
    const tolerations = tolerationsOf(pod, taint);
    if (tolerations.length === 0) return TOLERATED_BY_DEFAULT.has(taint.key) ? this.#evictAfterMs : 0;
    return Math.min(
      ...tolerations.map(({ tolerationSeconds = Number.POSITIVE_INFINITY }) => tolerationSeconds * 1000),
    );
  }
}
