import {
  type Clock,
  type ClusterActions,
  type DeleteResult,
  type LiveNode,
  type Logger,
  type PodFact,
  silentLogger,
  type VolumeAttachmentFact,
} from '@reattach/core';
import {
  apiPaths,
  type KubeApi,
  KubeApiError,
  readMeta,
  toNodeFact,
  toPodFact,
  toVolumeAttachmentFact,
} from '@reattach/k8s-api';
import { type RetryPorts, retryTransient } from './retry-transient.ts';
import { ATTRIBUTE, inDeleteSpan } from './telemetry/instruments.ts';

/** Bound of one request, ms. Half the transport's default: a dead Node's volumes wait, and the retries come soon. */
const REQUEST_TIMEOUT_MS = 5_000;

export interface KubeActionsOptions {
  readonly api: KubeApi;
  readonly clock: Clock;
  /** Jitter of the back-off, in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  readonly logger?: Logger;
}

/** What a live GET found, compared with the object that was to be deleted. */
type Comparison = 'same' | 'deleting' | 'replaced';

/**
 * Everything Reattach deletes. A delete first reads the object live; it is sent only for the very object that was decided
 * about, and carries that uid as precondition, so that a successor under the same name survives any race. Nothing is ever
 * patched: finalizers stay with their owners.
 */
export class KubeActions implements ClusterActions {
  readonly #api: KubeApi;
  readonly #retry: RetryPorts;

  constructor({ api, clock, random = Math.random, logger = silentLogger }: KubeActionsOptions) {
    this.#api = api;
    this.#retry = { clock, random, logger };
  }

  /**
   * Reads the Node past every cache. Only the API server's own `NotFound` means `gone`: a 404 of a proxy proves nothing.
   * @throws {KubeApiError} when existence cannot be told, `MALFORMED` when the answer is no Node.
   */
  getNode(name: string, signal: AbortSignal): Promise<LiveNode> {
    const get = async (): Promise<LiveNode> => {
      const raw = await this.#get('get node', apiPaths.node(name), signal);
      if (raw === undefined) return { kind: 'gone' };
      const node = toNodeFact(raw);
      if (node?.name !== name) throw malformed(`node ${name}`);
      return { kind: 'present', node };
    };
    return retryTransient('get node', get, this.#retry, signal);
  }

  /**
   * Deletes the pod without waiting for its kubelet. A pod that has finalizers stays until they are removed.
   * @throws {KubeApiError} outcome `unknown` when the last attempt may have been carried out unseen.
   */
  forceDeletePod(pod: PodFact, signal: AbortSignal): Promise<DeleteResult> {
    const compare = (raw: unknown): Comparison => {
      const meta = readMeta(raw);
      if (!meta) throw malformed(`pod ${pod.namespace}/${pod.name}`);
      // A successor may not be bound to a node yet, and then has no PodFact.
      return meta.uid === pod.uid && toPodFact(raw)?.nodeName === pod.nodeName ? 'same' : 'replaced';
    };
    const attributes = {
      [ATTRIBUTE.namespaceName]: pod.namespace,
      [ATTRIBUTE.podName]: pod.name,
      [ATTRIBUTE.podUid]: pod.uid,
      [ATTRIBUTE.nodeName]: pod.nodeName,
    };
    const path = apiPaths.pod(pod.namespace, pod.name);
    const preconditions = { preconditions: { uid: pod.uid }, gracePeriodSeconds: 0 };
    return inDeleteSpan('delete pod', attributes, signal, () =>
      this.#delete('pod', path, compare, preconditions, signal),
    );
  }

  /**
   * Deletes the VolumeAttachment, or leaves it when its deletion is under way. `deleted` means that the deletion was
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
    return inDeleteSpan('delete volumeattachment', attributes, signal, () =>
      this.#delete('volumeattachment', path, compare, preconditions, signal),
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
      const raw = await this.#get(`get ${kind}`, path, signal);
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

  /** A GET without resourceVersion is answered from etcd, not from a cache. `undefined`: it does not exist. */
  #get(operation: string, path: string, signal: AbortSignal): Promise<unknown> {
    return unlessNotFound(
      this.#api.request({ method: 'GET', path, operation, signal, timeoutMs: REQUEST_TIMEOUT_MS }),
    );
  }
}

/** Turns the API server's `NotFound` into `undefined`. */
async function unlessNotFound(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (err) {
    if (err instanceof KubeApiError && err.code === 'NOT_FOUND' && err.reason === 'NotFound')
      return undefined;
    throw err;
  }
}

function malformed(what: string): KubeApiError {
  return new KubeApiError(
    'MALFORMED',
    'not-applied',
    `the API server's answer for ${what} is no such object`,
  );
}
