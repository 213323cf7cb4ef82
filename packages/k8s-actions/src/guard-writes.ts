import type { Leadership } from '@reattach/core';
import type { KubeApi } from '@reattach/k8s-api';
import { REQUEST_TIMEOUT_MS } from './live-object.ts';

/**
 * An API that sends a write only while leadership is held, and gives it no longer than the 5 s leadership counts on. Reads
 * and watches pass. Disposing disposes the API below.
 *
 * For everything that changes the cluster. Events are better written unguarded: they change nothing, and the one that says
 * why a replica stopped must not be lost with its leadership.
 */
export function guardWrites(api: KubeApi, leadership: Leadership): KubeApi {
  return {
    server: api.server,
    async request(request) {
      if (request.method === 'GET') return api.request(request);
      leadership.assertHeld();
      const timeoutMs = Math.min(request.timeoutMs ?? REQUEST_TIMEOUT_MS, REQUEST_TIMEOUT_MS);
      return api.request({ ...request, timeoutMs });
    },
    watch: (request) => api.watch(request),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}
