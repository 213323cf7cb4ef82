import { type KubeApi, KubeApiError } from '@reattach/k8s-api';

/**
 * Bound of one request, ms. Half the transport's default: a dead Node's volumes wait, and the retries come soon. For
 * writes it is also what leadership counts on. @see LeaderElector.assertHeld
 */
export const REQUEST_TIMEOUT_MS = 5_000;

/** A GET without resourceVersion is answered from etcd, not from a cache. `undefined`: the object does not exist. */
export function getLive(
  api: KubeApi,
  operation: string,
  path: string,
  signal: AbortSignal,
  timeoutMs: number = REQUEST_TIMEOUT_MS,
): Promise<unknown> {
  return unlessNotFound(api.request({ method: 'GET', path, operation, signal, timeoutMs }));
}

/** Turns the API server's own `NotFound` into `undefined`; a 404 of a proxy proves nothing. */
export async function unlessNotFound(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (err) {
    if (err instanceof KubeApiError && err.code === 'NOT_FOUND' && err.reason === 'NotFound')
      return undefined;
    throw err;
  }
}

/** The answer is JSON, but not of the object that was asked for. */
export function malformed(what: string): KubeApiError {
  return new KubeApiError(
    'MALFORMED',
    'not-applied',
    `the API server's answer for ${what} is not such an object`,
  );
}
