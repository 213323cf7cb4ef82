import type { NodeLister } from '@reattach/core';
import { apiPaths, type KubeApi, KubeApiError, toNodeFact } from '@reattach/k8s-api';

/** Bound of one request, ms. */
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * Reads Nodes from the API server, past every cache: for an `UntrackPass` in a driver that keeps no informer of Nodes.
 * `getNode` resolves with `undefined` only when the API server itself said `NotFound`, because a 404 of a proxy proves nothing.
 * It rejects with a {@link KubeApiError}, `MALFORMED` when the answer is not that Node.
 */
export function apiNodeLister(api: KubeApi): NodeLister {
  return {
    async getNode(name, signal) {
      const path = apiPaths.node(name);
      const request = {
        method: 'GET',
        path,
        operation: 'get node',
        signal,
        timeoutMs: REQUEST_TIMEOUT_MS,
      } as const;
      try {
        const node = toNodeFact(await api.request(request));
        if (node?.name === name) return node;
      } catch (err) {
        if (err instanceof KubeApiError && err.code === 'NOT_FOUND' && err.reason === 'NotFound')
          return undefined;
        throw err;
      }
      throw new KubeApiError('MALFORMED', 'not-applied', `the answer to GET ${path} is not that Node`);
    },
  };
}
