import { podManifest } from '../manifests.ts';
import { ControlLoop, type FakeControllerContext } from './control-loop.ts';
import { isFinished, isTerminating } from './pod-state.ts';

export interface DaemonSetOptions {
  readonly name: string;
  readonly namespace?: string;
  /** Names of the claims that each of its pods mounts. Default: none. */
  readonly claims?: readonly string[];
}

/**
 * Fakes the DaemonSet controller for one DaemonSet: keeps one pod on every Node, also on one that is not ready or tainted,
 * because daemon pods tolerate that. A pod that was deleted returns at once, with another name.
 * @see kubernetes `pkg/controller/daemon/daemon_controller.go`
 */
export class DaemonSetController implements Disposable {
  readonly #context: FakeControllerContext;
  readonly #options: DaemonSetOptions;
  readonly #loop: ControlLoop;
  #created = 0;

  constructor(context: FakeControllerContext, options: DaemonSetOptions) {
    this.#context = context;
    this.#options = options;
    this.#loop = new ControlLoop({ ...context, kinds: ['Node', 'Pod'], pass: () => this.#keepPods() });
  }

  [Symbol.dispose](): void {
    this.#loop[Symbol.dispose]();
  }

  #keepPods(): undefined {
    const { store } = this.#context;
    const { name, namespace = 'default', claims = [] } = this.#options;
    const covered = new Set<string | undefined>();
    for (const pod of store.list('Pod')) {
      const isOwn = pod.metadata.ownerReferences?.some(
        (owner) => owner.kind === 'DaemonSet' && owner.name === name,
      );
      if (!isOwn || pod.metadata.namespace !== namespace || isTerminating(pod)) continue;
      if (isFinished(pod)) store.delete('Pod', pod.metadata.name, namespace);
      else covered.add(pod.spec?.nodeName);
    }
    for (const { metadata } of store.list('Node')) {
      if (covered.has(metadata.name)) continue;
      this.#created += 1;
      store.create({
        ...podManifest({
          name: `${name}-${this.#created.toString(36).padStart(5, '0')}`,
          namespace,
          nodeName: metadata.name,
          claims,
          owner: { kind: 'DaemonSet', name },
          phase: 'Pending',
        }),
      });
    }
    return undefined;
  }
}
