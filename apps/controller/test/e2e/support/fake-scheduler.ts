import type { NodeObject, PodObject } from '@reattach/kube-sim';
import type { ClusterMirror } from './cluster-mirror.ts';
import { FakeLoop } from './fake-loop.ts';
import { inDefault, type KubeClient } from './kube-client.ts';

const INTERVAL_MS = 1_000;

/** Label of a node, and nodeSelector of a pod, that says to which stage they belong. */
export const STAGE_LABEL = 'reattach.test/stage';

/** Binds each pending pod to the Ready node of its stage that has the fewest pods. */
export class FakeScheduler implements AsyncDisposable {
  readonly #kube: KubeClient;
  readonly #mirror: ClusterMirror;
  readonly #loop: FakeLoop;
  /** Node by uid of a pod that was bound, until the mirror shows it. */
  readonly #bound = new Map<string, string>();

  constructor(kube: KubeClient, mirror: ClusterMirror) {
    this.#kube = kube;
    this.#mirror = mirror;
    this.#loop = new FakeLoop(mirror, INTERVAL_MS, () => this.#pass());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop[Symbol.asyncDispose]();
  }

  async #pass(): Promise<void> {
    for (const pod of this.#mirror.list('Pod')) {
      const { name, namespace = '', uid, deletionTimestamp } = pod.metadata;
      if (pod.spec?.nodeName !== undefined || deletionTimestamp !== undefined || this.#bound.has(uid))
        continue;
      const node = this.#nodeFor(pod);
      if (!node) continue;
      const target = { apiVersion: 'v1', kind: 'Node', name: node.metadata.name };
      await this.#kube.create(inDefault('pods', name, 'binding'), {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace, uid },
        target,
      });
      this.#bound.set(uid, node.metadata.name);
    }
  }

  #nodeFor(pod: PodObject): NodeObject | undefined {
    const stage = (pod.spec as { nodeSelector?: Record<string, string> } | undefined)?.nodeSelector?.[
      STAGE_LABEL
    ];
    const load = (node: NodeObject) =>
      this.#mirror
        .list('Pod')
        .filter(
          ({ spec, metadata }) => (spec?.nodeName ?? this.#bound.get(metadata.uid)) === node.metadata.name,
        ).length;
    return this.#mirror
      .list('Node')
      .filter((node) => node.metadata.labels?.[STAGE_LABEL] === stage && takesPods(node))
      .toSorted((a, b) => load(a) - load(b) || a.metadata.name.localeCompare(b.metadata.name))[0];
  }
}

/** It is Ready, and no taint keeps pods off it. */
export function takesPods(node: NodeObject | undefined): boolean {
  const { status, spec } = node ?? {};
  const isReady = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True');
  return isReady === true && (spec?.taints ?? []).length === 0;
}
