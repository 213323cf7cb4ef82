import type { NodeFact, PodFact, VolumeAttachmentFact } from '../facts.ts';
import type { ClusterActions, DeleteResult, LiveNode } from '../ports.ts';

/** One call, with the object it was about. */
export type ClusterCall =
  | { readonly kind: 'getNode'; readonly name: string }
  | { readonly kind: 'forceDeletePod'; readonly name: string; readonly pod: PodFact }
  | {
      readonly kind: 'deleteVolumeAttachment';
      readonly name: string;
      readonly attachment: VolumeAttachmentFact;
    };

/** Records calls; Nodes that were not set are gone, deletes succeed unless scripted otherwise. */
export class FakeClusterActions implements ClusterActions {
  readonly calls: ClusterCall[] = [];
  /** Runs before each call is answered: throw to make it fail, wait to make it slow. */
  before: (call: ClusterCall) => void | Promise<void> = () => undefined;
  readonly #nodes = new Map<string, NodeFact>();
  readonly #results = new Map<string, DeleteResult>();

  setNode(node: NodeFact): void {
    this.#nodes.set(node.name, node);
  }

  removeNode(name: string): void {
    this.#nodes.delete(name);
  }

  /** What deleting the pod or VolumeAttachment called `name` answers from now on. */
  setDeleteResult(name: string, result: DeleteResult): void {
    this.#results.set(name, result);
  }

  async getNode(name: string, signal: AbortSignal): Promise<LiveNode> {
    await this.#begin({ kind: 'getNode', name }, signal);
    const node = this.#nodes.get(name);
    return node ? { kind: 'present', node } : { kind: 'gone' };
  }

  async forceDeletePod(pod: PodFact, signal: AbortSignal): Promise<DeleteResult> {
    await this.#begin({ kind: 'forceDeletePod', name: pod.name, pod }, signal);
    return this.#results.get(pod.name) ?? 'deleted';
  }

  async deleteVolumeAttachment(attachment: VolumeAttachmentFact, signal: AbortSignal): Promise<DeleteResult> {
    await this.#begin({ kind: 'deleteVolumeAttachment', name: attachment.name, attachment }, signal);
    return this.#results.get(attachment.name) ?? 'deleted';
  }

  async #begin(call: ClusterCall, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.calls.push(call);
    await this.before(call);
  }
}
