import type { NodeObject, NodeTaint } from '../kube-object.ts';
import { NODE_LEASE_NAMESPACE } from '../manifests.ts';
import { timestamp } from '../timestamp.ts';
import { ControlLoop, type FakeControllerContext } from './control-loop.ts';
import { isReady, readyCondition, taintsOf, withReady } from './node-state.ts';
import { TaintEviction } from './taint-eviction.ts';

export interface NodeLifecycleOptions {
  /** `--node-monitor-grace-period`, ms: how long a Lease may stay as it is. Default 50 000 (Kubernetes 1.32). */
  readonly graceMs?: number;
  /** `--node-monitor-period`, ms. Default 5 000. */
  readonly monitorPeriodMs?: number;
  /** See `TaintEviction`, which runs along. Default 300 000. */
  readonly evictAfterMs?: number;
}

/** The taint for a Ready condition that is not True. */
const TAINT_OF_READY: Readonly<Record<string, string>> = {
  False: 'node.kubernetes.io/not-ready',
  Unknown: 'node.kubernetes.io/unreachable',
};
const OWN_TAINTS: ReadonlySet<string> = new Set(Object.values(TAINT_OF_READY));

/**
 * Fakes the node lifecycle controller: a Node whose kubelet is silent gets Ready=Unknown, a Node that is not Ready
 * gets NoSchedule and NoExecute taints, and one that is Ready again loses them. When no Node is Ready it takes its NoExecute
 * taints back, as in a full disruption; the eviction rates of a partial one are not modelled.
 * @see kubernetes `pkg/controller/nodelifecycle/node_lifecycle_controller.go`
 */
export class NodeLifecycleController implements Disposable {
  readonly #context: FakeControllerContext;
  readonly #graceMs: number;
  readonly #monitorPeriodMs: number;
  readonly #cleanup = new DisposableStack();
  /** The last sign of life of every Node and when it was first seen, by this controller's clock. */
  #signs = new Map<string, { readonly sign: string; readonly seenMs: number }>();
  #nextMonitorMs: number;

  constructor(context: FakeControllerContext, options: NodeLifecycleOptions = {}) {
    const { graceMs = 50_000, monitorPeriodMs = 5_000, evictAfterMs = 300_000 } = options;
    this.#context = context;
    this.#graceMs = graceMs;
    this.#monitorPeriodMs = monitorPeriodMs;
    this.#nextMonitorMs = context.clock.now();
    this.#cleanup.use(new ControlLoop({ ...context, kinds: ['Node'], pass: () => this.#pass() }));
    this.#cleanup.use(new TaintEviction(context, { evictAfterMs }));
  }

  [Symbol.dispose](): void {
    this.#cleanup.dispose();
  }

  #pass(): number {
    const { store, clock } = this.#context;
    if (clock.now() >= this.#nextMonitorMs) {
      this.#nextMonitorMs = clock.now() + this.#monitorPeriodMs;
      this.#monitor();
    }
    const nodes = store.list('Node');
    const isFullDisruption = !nodes.some(isReady);
    for (const node of nodes) this.#taint(node, isFullDisruption);
    return this.#nextMonitorMs;
  }

  #monitor(): void {
    const { store, clock } = this.#context;
    const nowMs = clock.now();
    const signs = this.#signs;
    this.#signs = new Map();
    for (const node of store.list('Node')) {
      const { name, uid } = node.metadata;
      const lease = store.get('Lease', name, NODE_LEASE_NAMESPACE);
      const ready = readyCondition(node);
      const sign = `${uid} ${lease?.spec?.renewTime} ${ready?.lastHeartbeatTime}`;
      const before = signs.get(name);
      const seenMs = before?.sign === sign ? before.seenMs : nowMs;
      this.#signs.set(name, { sign, seenMs });
      if (nowMs < seenMs + this.#graceMs || ready?.status === 'Unknown') continue;
      const conditions = withReady(node, {
        type: 'Ready',
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        ...(ready?.lastHeartbeatTime && { lastHeartbeatTime: ready.lastHeartbeatTime }),
        lastTransitionTime: timestamp(nowMs),
      });
      store.patch('Node', name, { status: { conditions } });
    }
  }

  #taint(node: NodeObject, isFullDisruption: boolean): void {
    const { store, clock } = this.#context;
    const key = TAINT_OF_READY[readyCondition(node)?.status ?? 'Unknown'];
    const effects = key === undefined ? [] : isFullDisruption ? ['NoSchedule'] : ['NoSchedule', 'NoExecute'];
    const current = taintsOf(node);
    const isRight = (taint: NodeTaint) => taint.key === key && effects.includes(taint.effect);
    const kept = current.filter((taint) => !OWN_TAINTS.has(taint.key) || isRight(taint));
    const missing = effects.filter(
      (effect) => !kept.some((taint) => isRight(taint) && taint.effect === effect),
    );
    if (missing.length === 0 && kept.length === current.length) return;
    const timeAdded = timestamp(clock.now());
    const taints = [...kept, ...missing.map((effect) => ({ key, effect, timeAdded }))];
    store.patch('Node', node.metadata.name, { spec: { taints } });
  }
}
