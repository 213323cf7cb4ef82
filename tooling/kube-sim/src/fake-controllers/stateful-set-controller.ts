import type { StatefulSetObject } from '../kube-object.ts';
import { podManifest } from '../manifests.ts';
import { ControlLoop, type FakeControllerContext } from './control-loop.ts';
import { isFinished, isTerminating } from './pod-state.ts';

/**
 * Fakes the StatefulSet controller: keeps the pods `<set>-0`, `<set>-1`, ... in being, each with the claims
 * `<template>-<set>-<ordinal>`, which have to exist. A name is taken as long as its pod is there, also Terminating, so there
 * are never two of one name. With `OrderedReady` (the default) a pod waits until those before it run. Scaling down and rolling
 * updates are not modelled.
 * @see kubernetes `pkg/controller/statefulset/stateful_set_control.go`
 */
export class StatefulSetController implements Disposable {
  readonly #context: FakeControllerContext;
  readonly #loop: ControlLoop;

  constructor(context: FakeControllerContext) {
    this.#context = context;
    this.#loop = new ControlLoop({
      ...context,
      kinds: ['StatefulSet', 'Pod'],
      pass: () => {
        for (const set of context.store.list('StatefulSet')) this.#keepReplicas(set);
        return undefined;
      },
    });
  }

  [Symbol.dispose](): void {
    this.#loop[Symbol.dispose]();
  }

  #keepReplicas(set: StatefulSetObject): void {
    const { store } = this.#context;
    const { namespace = 'default' } = set.metadata;
    const { replicas = 1, podManagementPolicy = 'OrderedReady' } = set.spec ?? {};
    for (let ordinal = 0; ordinal < replicas; ordinal++) {
      const name = `${set.metadata.name}-${ordinal}`;
      let pod = store.get('Pod', name, namespace);
      if (pod && isFinished(pod) && !isTerminating(pod)) {
        store.delete('Pod', name, namespace);
        pod = store.get('Pod', name, namespace);
      }
      if (!pod) this.#createPod(set, name, namespace, ordinal);
      const isRunning = pod?.status?.phase === 'Running' && !isTerminating(pod);
      if (!isRunning && podManagementPolicy === 'OrderedReady') return;
    }
  }

  #createPod(set: StatefulSetObject, name: string, namespace: string, ordinal: number): void {
    const { template, volumeClaimTemplates = [] } = set.spec ?? {};
    const { labels } = template?.metadata ?? {};
    const { name: setName, uid } = set.metadata;
    this.#context.store.create(
      podManifest({
        name,
        namespace,
        claims: volumeClaimTemplates.map(({ metadata }) => `${metadata.name}-${setName}-${ordinal}`),
        ...(labels && { labels }),
        owner: { kind: 'StatefulSet', name: setName, uid },
      }),
    );
  }
}
