import type { NodeFact, PodFact, VolumeAttachmentFact } from '../model/facts.ts';
import type { ChangeResult, ClusterActions, DeleteResult, LiveNode } from '../ports/ports.ts';

/** One call, with the object it was about. */
export type ClusterCall =
  | { readonly kind: 'getNode' | 'getNodeLeaseRenewTime' | 'getVolumeAttachment'; readonly name: string }
  | {
      readonly kind: 'removeVolumesInUse';
      readonly name: string;
      readonly volumeHandles: readonly string[];
    }
  | {
      readonly kind:
        | 'addOutOfServiceTaint'
        | 'removeOutOfServiceTaint'
        | 'addFencedTaint'
        | 'removeFencedTaint';
      readonly name: string;
    }
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
  readonly #changeResults = new Map<string, ChangeResult>();
  readonly #detached = new Set<string>();
  readonly #renewTimes = new Map<string, string>();

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

  /** What changing the Node called `name` answers from now on; default `changed`. */
  setChangeResult(name: string, result: ChangeResult): void {
    this.#changeResults.set(name, result);
  }

  /** Whether the VolumeAttachment called `name` is there, and not being deleted; by default every one is. */
  setAttached(name: string, isAttached: boolean): void {
    if (isAttached) this.#detached.delete(name);
    else this.#detached.add(name);
  }

  setNodeLeaseRenewTime(nodeName: string, renewTime: string): void {
    this.#renewTimes.set(nodeName, renewTime);
  }

  async getNode(name: string, signal: AbortSignal): Promise<LiveNode> {
    await this.#begin({ kind: 'getNode', name }, signal);
    const node = this.#nodes.get(name);
    return node ? { kind: 'present', node } : { kind: 'gone' };
  }

  async isAttached({ name }: VolumeAttachmentFact, signal: AbortSignal): Promise<boolean> {
    await this.#begin({ kind: 'getVolumeAttachment', name }, signal);
    return !this.#detached.has(name);
  }

  async forceDeletePod(pod: PodFact, signal: AbortSignal): Promise<DeleteResult> {
    await this.#begin({ kind: 'forceDeletePod', name: pod.name, pod }, signal);
    return this.#results.get(pod.name) ?? 'deleted';
  }

  async deleteVolumeAttachment(attachment: VolumeAttachmentFact, signal: AbortSignal): Promise<DeleteResult> {
    await this.#begin({ kind: 'deleteVolumeAttachment', name: attachment.name, attachment }, signal);
    return this.#results.get(attachment.name) ?? 'deleted';
  }

  async getNodeLeaseRenewTime(nodeName: string, signal: AbortSignal): Promise<string | undefined> {
    await this.#begin({ kind: 'getNodeLeaseRenewTime', name: nodeName }, signal);
    return this.#renewTimes.get(nodeName);
  }

  async removeVolumesInUse(
    node: NodeFact,
    _attacher: string,
    volumeHandles: readonly string[],
    signal: AbortSignal,
  ): Promise<ChangeResult> {
    await this.#begin({ kind: 'removeVolumesInUse', name: node.name, volumeHandles }, signal);
    return this.#changeResults.get(node.name) ?? 'changed';
  }

  async addOutOfServiceTaint(node: NodeFact, signal: AbortSignal): Promise<ChangeResult> {
    await this.#begin({ kind: 'addOutOfServiceTaint', name: node.name }, signal);
    return this.#changeResults.get(node.name) ?? 'changed';
  }

  async removeOutOfServiceTaint(node: NodeFact, signal: AbortSignal): Promise<ChangeResult> {
    await this.#begin({ kind: 'removeOutOfServiceTaint', name: node.name }, signal);
    return this.#changeResults.get(node.name) ?? 'changed';
  }

  async addFencedTaint(node: NodeFact, signal: AbortSignal): Promise<ChangeResult> {
    await this.#begin({ kind: 'addFencedTaint', name: node.name }, signal);
    return this.#changeResults.get(node.name) ?? 'changed';
  }

  async removeFencedTaint(node: NodeFact, signal: AbortSignal): Promise<ChangeResult> {
    await this.#begin({ kind: 'removeFencedTaint', name: node.name }, signal);
    return this.#changeResults.get(node.name) ?? 'changed';
  }

  async #begin(call: ClusterCall, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.calls.push(call);
    await this.before(call);
  }
}
