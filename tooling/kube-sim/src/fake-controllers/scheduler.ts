import type { NodeObject, PodObject } from '../kube-object.ts';
import { ControlLoop, type FakeControllerContext } from './control-loop.ts';
import { isReady, taintsOf } from './node-state.ts';
import { isFinished, isTerminating, tolerationsOf, volumesOf } from './pod-state.ts';

/**
 * Fakes kube-scheduler: binds a pod whose claims are all bound to a Node that is Ready, schedulable and without
 * taints the pod does not tolerate; the one with the fewest pods, then the first by name. Nothing else (affinity, resources,
 * volume limits, preemption) is modelled.
 */
export class Scheduler implements Disposable {
  readonly #context: FakeControllerContext;
  readonly #loop: ControlLoop;

  constructor(context: FakeControllerContext) {
    this.#context = context;
    this.#loop = new ControlLoop({
      ...context,
      kinds: ['Pod', 'Node', 'PersistentVolume', 'PersistentVolumeClaim'],
      pass: () => {
        for (const pod of context.store.list('Pod')) this.#bind(pod);
        return undefined;
      },
    });
  }

  [Symbol.dispose](): void {
    this.#loop[Symbol.dispose]();
  }

  #bind(pod: PodObject): void {
    const { store } = this.#context;
    if (pod.spec?.nodeName || isTerminating(pod) || isFinished(pod) || !volumesOf(store, pod).allBound)
      return;
    const podCount = Map.groupBy(store.list('Pod'), ({ spec }) => spec?.nodeName);
    const load = ({ metadata }: NodeObject) => podCount.get(metadata.name)?.length ?? 0;
    const [best] = store
      .list('Node')
      .filter((node) => isFeasible(node, pod))
      .toSorted((a, b) => load(a) - load(b));
    if (!best) return;
    const { name, namespace } = pod.metadata;
    store.patch('Pod', name, { spec: { nodeName: best.metadata.name } }, namespace);
  }
}

function isFeasible(node: NodeObject, pod: PodObject): boolean {
  const isRepelled = taintsOf(node).some(
    (taint) => taint.effect !== 'PreferNoSchedule' && tolerationsOf(pod, taint).length === 0,
  );
  return isReady(node) && !node.spec?.unschedulable && !isRepelled;
}
