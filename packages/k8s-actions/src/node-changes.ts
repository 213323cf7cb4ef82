import type { ChangeResult, NodeFact } from '@reattach/core';
import { apiPaths, type KubeApi, KubeApiError, readMeta, toNodeFact } from '@reattach/k8s-api';
import { getLive, malformed, REQUEST_TIMEOUT_MS, unlessNotFound } from './live-object.ts';
import { type PatchOperation, sameState } from './node-patches.ts';
import { type RetryPorts, retryTransient } from './retry-transient.ts';

/** One kind of change to a Node. */
export interface NodeChange {
  /** Span name, e.g. `patch node taints`. */
  readonly operation: string;
  /** Path of what is patched, by the Node's name. */
  readonly path: (name: string) => string;
  /** The Node as it is now is not the one that was decided about any more. Another uid never is. */
  readonly isReplaced: (live: NodeFact) => boolean;
  /** What to change in the Node as it is now; empty: nothing. */
  readonly plan: (raw: unknown, live: NodeFact) => readonly PatchOperation[];
}

/**
 * Reads the Node live, plans the change from what was read and applies it only to that very state: a write of anybody
 * else in between makes the API server refuse the patch, and the Node is read again.
 */
export function changeNode(
  api: KubeApi,
  node: NodeFact,
  { operation, path, isReplaced, plan }: NodeChange,
  retry: RetryPorts,
  signal: AbortSignal,
): Promise<ChangeResult> {
  const attempt = async (): Promise<ChangeResult> => {
    const raw = await getLive(api, 'get node', apiPaths.node(node.name), signal);
    if (raw === undefined) return 'gone';
    const live = toNodeFact(raw);
    const resourceVersion = readMeta(raw)?.resourceVersion;
    if (live?.name !== node.name || resourceVersion === undefined) throw malformed(`node ${node.name}`);
    if (live.uid !== node.uid || isReplaced(live)) return 'replaced';
    const change = plan(raw, live);
    if (change.length === 0) return 'unchanged';
    const answer = api.request({
      method: 'PATCH',
      path: path(node.name),
      body: [...sameState(live.uid, resourceVersion), ...change],
      contentType: 'application/json-patch+json',
      operation,
      signal,
      timeoutMs: REQUEST_TIMEOUT_MS,
    });
    return (await unlessNotFound(answer.catch(throwAsConflict))) === undefined ? 'gone' : 'changed';
  };
  return retryTransient(operation, attempt, retry, signal);
}

/** A JSON patch whose tests fail is refused with 422, as is one whose result is not valid. */
function throwAsConflict(err: unknown): never {
  if (err instanceof KubeApiError && err.status === 422) {
    const message = 'the API server did not apply the patch to the Node it found';
    throw new KubeApiError('CONFLICT', 'not-applied', message, { cause: err, status: 422 });
  }
  throw err;
}
