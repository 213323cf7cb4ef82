import {
  type ChangeResult,
  type Clock,
  type ClusterActions,
  type DeleteResult,
  FENCED_TAINT,
  type LiveNode,
  type Logger,
  type NodeFact,
  OUT_OF_SERVICE_TAINT,
  type PodFact,
  silentLogger,
  type VolumeAttachmentFact,
} from '@reattach/core';
import {
  apiPaths,
  type KubeApi,
  readMeta,
  toLeaseFact,
  toNodeFact,
  toPodFact,
  toVolumeAttachmentFact,
} from '@reattach/k8s-api';
import { getLive, malformed, REQUEST_TIMEOUT_MS, unlessNotFound } from './live-object.ts';
import { LruMap } from './lru-map.ts';
import { changeNode, type NodeChange } from './node-changes.ts';
import {
  addFencedTaint,
  addOutOfServiceTaint,
  foreignOwner,
  removeFencedTaint,
  removeOutOfServiceTaint,
  removeVolumesInUse,
} from './node-patches.ts';
import { type RetryPorts, retryTransient } from './retry-transient.ts';
import { ATTRIBUTE, inWriteSpan } from './telemetry/instruments.ts';

export interface KubeActionsOptions {
  readonly api: KubeApi;
  readonly clock: Clock;
  /** Owner of the taints this writes, as their value: only those with it are removed. A CSI driver name. */
  readonly attacher: string;
  /** Jitter of the back-off, in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  readonly logger?: Logger;
}

/** Conflicts remembered, so that each is logged once. */
const MAX_REPORTED = 1_000;

/** What a live GET found, compared with the object that was to be deleted. */
type Comparison = 'same' | 'deleting' | 'replaced';

/**
 * Everything Reattach deletes or changes. A write first reads the object live; it is sent only for the very object that was
 * decided about, and carries that uid as precondition, so that a successor under the same name survives any race.
 * Finalizers and what other owners wrote are never touched.
 */
export class KubeActions implements ClusterActions {
  readonly #api: KubeApi;
  readonly #attacher: string;
  readonly #logger: Logger;
  readonly #retry: RetryPorts;
  /** Conflicts between owners that were logged. */
  readonly #reported = new LruMap<string, true>(MAX_REPORTED);

  constructor({ api, clock, attacher, random = Math.random, logger = silentLogger }: KubeActionsOptions) {
    this.#api = api;
    this.#attacher = attacher;
    this.#logger = logger;
    this.#retry = { clock, random, logger };
  }

  /**
   * Reads the Node past every cache. Only the API server's own `NotFound` means `gone`: a 404 of a proxy proves nothing.
   * @throws {KubeApiError} when it is unknown whether the Node exists, `MALFORMED` when the answer is not a Node.
   */
  getNode(name: string, signal: AbortSignal): Promise<LiveNode> {
    const get = async (): Promise<LiveNode> => {
      const raw = await getLive(this.#api, 'get node', apiPaths.node(name), signal);
      if (raw === undefined) return { kind: 'gone' };
      const node = toNodeFact(raw);
      if (node?.name !== name) throw malformed(`node ${name}`);
      return { kind: 'present', node };
    };
    return retryTransient('get node', get, this.#retry, signal);
  }

  /**
   * Reads the Lease of the Node's kubelet past every cache. `undefined`, too, for a Lease that was never renewed.
   * @throws {KubeApiError} when it is unknown whether the Lease exists, `MALFORMED` when the answer is not a Lease.
   */
  getNodeLeaseRenewTime(nodeName: string, signal: AbortSignal): Promise<string | undefined> {
    const get = async (): Promise<string | undefined> => {
      const raw = await getLive(this.#api, 'get node lease', apiPaths.nodeLease(nodeName), signal);
      if (raw === undefined) return undefined;
      const lease = toLeaseFact(raw);
      if (lease?.name !== nodeName) throw malformed(`lease ${nodeName}`);
      return lease.renewTime;
    };
    return retryTransient('get node lease', get, this.#retry, signal);
  }

  /**
   * Reads the VolumeAttachment past every cache.
   * @throws {KubeApiError} when it is unknown whether it exists, `MALFORMED` when the answer is not a VolumeAttachment.
   */
  isAttached(attachment: VolumeAttachmentFact, signal: AbortSignal): Promise<boolean> {
    const get = async (): Promise<boolean> => {
      const path = apiPaths.volumeAttachment(attachment.name);
      const raw = await getLive(this.#api, 'get volumeattachment', path, signal);
      if (raw === undefined) return false;
      const live = toVolumeAttachmentFact(raw);
      if (!live) throw malformed(`volumeattachment ${attachment.name}`);
      return live.uid === attachment.uid && live.deletingSinceMs === undefined;
    };
    return retryTransient('get volumeattachment', get, this.#retry, signal);
  }

  /**
   * Deletes the pod without waiting for its kubelet, once: one that was deleted so before stays until its finalizers are removed.
   * @throws {KubeApiError} outcome `unknown` when the last attempt may have been carried out unseen.
   */
  forceDeletePod(pod: PodFact, signal: AbortSignal): Promise<DeleteResult> {
    const compare = (raw: unknown): Comparison => {
      const meta = readMeta(raw);
      if (!meta) throw malformed(`pod ${pod.namespace}/${pod.name}`);
      // A successor may not be bound to a node yet, and then has no PodFact.
      const live = toPodFact(raw);
      if (meta.uid !== pod.uid || live?.nodeName !== pod.nodeName) return 'replaced';
      return live.deletedAtOnce ? 'deleting' : 'same';
    };
    const attributes = {
      [ATTRIBUTE.namespaceName]: pod.namespace,
      [ATTRIBUTE.podName]: pod.name,
      [ATTRIBUTE.podUid]: pod.uid,
      [ATTRIBUTE.nodeName]: pod.nodeName,
    };
    const path = apiPaths.pod(pod.namespace, pod.name);
    const preconditions = { preconditions: { uid: pod.uid }, gracePeriodSeconds: 0 };
    return inWriteSpan('delete pod', attributes, signal, () =>
      this.#delete('pod', path, compare, preconditions, signal),
    );
  }

  /**
   * Deletes the VolumeAttachment, or leaves it when it is being deleted. `deleted` means that the deletion was
   * accepted: the object stays until external-attacher has detached the volume and removed its finalizer.
   * @throws {KubeApiError} outcome `unknown` when the last attempt may have been carried out unseen.
   */
  deleteVolumeAttachment(attachment: VolumeAttachmentFact, signal: AbortSignal): Promise<DeleteResult> {
    const compare = (raw: unknown): Comparison => {
      const live = toVolumeAttachmentFact(raw);
      if (!live) throw malformed(`volumeattachment ${attachment.name}`);
      const same =
        live.uid === attachment.uid &&
        live.attacher === attachment.attacher &&
        live.nodeName === attachment.nodeName;
      if (!same) return 'replaced';
      return live.deletingSinceMs === undefined ? 'same' : 'deleting';
    };
    const attributes = {
      [ATTRIBUTE.volumeAttachmentName]: attachment.name,
      [ATTRIBUTE.volumeAttachmentUid]: attachment.uid,
      [ATTRIBUTE.nodeName]: attachment.nodeName,
      [ATTRIBUTE.pluginName]: attachment.attacher,
      ...(attachment.persistentVolumeName !== undefined && {
        [ATTRIBUTE.persistentVolumeName]: attachment.persistentVolumeName,
      }),
    };
    const path = apiPaths.volumeAttachment(attachment.name);
    const preconditions = { preconditions: { uid: attachment.uid } };
    return inWriteSpan('delete volumeattachment', attributes, signal, () =>
      this.#delete('volumeattachment', path, compare, preconditions, signal),
    );
  }

  /**
   * Makes the attach-detach controller forget that the dead node has these volumes mounted, so that it detaches them at
   * once. `replaced` when the Node is another one or has become ready since `node` was read; a Node that was ready then
   * was found dead by its Lease, whatever Kubernetes says of it.
   * @throws {KubeApiError} outcome `unknown` when the last attempt may have been carried out unseen.
   */
  removeVolumesInUse(
    node: NodeFact,
    attacher: string,
    volumeHandles: readonly string[],
    signal: AbortSignal,
  ): Promise<ChangeResult> {
    const change: NodeChange = {
      operation: 'remove volumes in use',
      path: apiPaths.nodeStatus,
      isReplaced: (live) => live.ready && !node.ready,
      plan: (raw) => removeVolumesInUse(raw, attacher, volumeHandles),
    };
    return this.#change(node, change, { [ATTRIBUTE.pluginName]: attacher }, signal);
  }

  /**
   * Declares the node out of service: Kubernetes deletes its pods and detaches its volumes, also those of other drivers.
   * `replaced` when the Node is another one or is ready, whatever it was before: every driver on it would lose its volumes.
   * `unchanged` when the key is there already; a taint of another owner is logged.
   * @throws {KubeApiError} outcome `unknown` when the last attempt may have been carried out unseen.
   */
  addOutOfServiceTaint(node: NodeFact, signal: AbortSignal): Promise<ChangeResult> {
    const change: NodeChange = {
      operation: 'add out-of-service taint',
      path: apiPaths.node,
      isReplaced: (live) => live.ready,
      plan: (raw, live) => {
        this.#reportForeign(raw, live, OUT_OF_SERVICE_TAINT);
        return addOutOfServiceTaint(raw, live, this.#attacher);
      },
    };
    return this.#change(node, change, {}, signal);
  }

  /**
   * Removes our taint and our record of the bootID. What another owner wrote stays. `replaced` when the Node is another one, or
   * is another machine or boot than the one that was found clean.
   * @throws {KubeApiError} outcome `unknown` when the last attempt may have been carried out unseen.
   */
  removeOutOfServiceTaint(node: NodeFact, signal: AbortSignal): Promise<ChangeResult> {
    const change: NodeChange = {
      operation: 'remove out-of-service taint',
      path: apiPaths.node,
      isReplaced: (live) => isAnotherBoot(live, node),
      plan: (raw) => removeOutOfServiceTaint(raw, this.#attacher),
    };
    return this.#change(node, change, {}, signal);
  }

  /**
   * Keeps new pods off the node, ready or not. `replaced` when the Node is another one; `unchanged` when the key is there
   * already, where a taint of another owner is logged.
   * @throws {KubeApiError} outcome `unknown` when the last attempt may have been carried out unseen.
   */
  addFencedTaint(node: NodeFact, signal: AbortSignal): Promise<ChangeResult> {
    const change: NodeChange = {
      operation: 'add fenced taint',
      path: apiPaths.node,
      isReplaced: () => false,
      plan: (raw, live) => {
        this.#reportForeign(raw, live, FENCED_TAINT);
        return addFencedTaint(raw, this.#attacher);
      },
    };
    return this.#change(node, change, {}, signal);
  }

  /**
   * Lets new pods onto the node again. `replaced` when the Node is another one, another machine or boot than the one that was
   * found clean, or is no longer ready. A taint of another owner stays.
   * @throws {KubeApiError} outcome `unknown` when the last attempt may have been carried out unseen.
   */
  removeFencedTaint(node: NodeFact, signal: AbortSignal): Promise<ChangeResult> {
    const change: NodeChange = {
      operation: 'remove fenced taint',
      path: apiPaths.node,
      isReplaced: (live) => isAnotherBoot(live, node) || (node.ready && !live.ready),
      plan: (raw) => removeFencedTaint(raw, this.#attacher),
    };
    return this.#change(node, change, {}, signal);
  }

  /** Logs once that a Node has a taint that another owner manages. */
  #reportForeign(raw: unknown, { name, uid }: NodeFact, taint: string): void {
    const owner = foreignOwner(raw, taint, this.#attacher);
    const key = JSON.stringify([uid, taint, owner]);
    if (owner === undefined || this.#reported.get(key)) return;
    this.#reported.set(key, true);
    this.#logger.warn('Left a taint of another owner on a Node', { node: name, nodeUid: uid, taint, owner });
  }

  #change(
    node: NodeFact,
    change: NodeChange,
    extra: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<ChangeResult> {
    const attributes = { [ATTRIBUTE.nodeName]: node.name, [ATTRIBUTE.nodeUid]: node.uid, ...extra };
    return inWriteSpan(change.operation, attributes, signal, () =>
      changeNode(this.#api, node, change, this.#retry, signal),
    );
  }

  #delete(
    kind: string,
    path: string,
    compare: (raw: unknown) => Comparison,
    options: object,
    signal: AbortSignal,
  ): Promise<DeleteResult> {
    const operation = `delete ${kind}`;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', ...options };
    const attempt = async (): Promise<DeleteResult> => {
      const raw = await getLive(this.#api, `get ${kind}`, path, signal);
      if (raw === undefined) return 'gone';
      const comparison = compare(raw);
      if (comparison === 'replaced') return 'replaced';
      if (comparison === 'deleting') return 'deleted';
      const request = {
        method: 'DELETE',
        path,
        body,
        operation,
        signal,
        timeoutMs: REQUEST_TIMEOUT_MS,
      } as const;
      return (await unlessNotFound(this.#api.request(request))) === undefined ? 'gone' : 'deleted';
    };
    return retryTransient(operation, attempt, this.#retry, signal);
  }
}

/** Whatever proved the decided state of the machine clean does not hold for another boot of it. */
function isAnotherBoot(live: NodeFact, decided: NodeFact): boolean {
  return live.bootId !== decided.bootId || live.machineId !== decided.machineId;
}
