import { hostname } from 'node:os';
import { serviceAccountNamespace } from '@reattach/controller-kit';
import type { ObjectRef } from '@reattach/core';
import { apiPaths, type KubeApi, KubeApiError, readMeta } from '@reattach/k8s-api';

/** Where a process learns which pod it runs in. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hostname: string;
  /** Absent outside of a pod. */
  readonly serviceAccountNamespace: string | undefined;
}

/** As the process finds them. */
export function surroundings(): Surroundings {
  return {
    env: process.env,
    hostname: hostname(),
    serviceAccountNamespace: serviceAccountNamespace(),
  };
}

/** `POD_NAME` and `POD_NAMESPACE`, else the host name and the namespace of the service account; `undefined`: in no pod. */
export function ownPodRef({
  env,
  hostname: host,
  serviceAccountNamespace: own,
}: Surroundings): ObjectRef | undefined {
  const namespace = env['POD_NAMESPACE'] || own;
  const name = env['POD_NAME'] || (own === undefined ? undefined : host);
  return name && namespace ? { name, namespace } : undefined;
}

/** The pod with its uid, by which `kubectl describe` finds its Events; `undefined` when there is no such pod. */
export async function findPod(
  api: KubeApi,
  pod: ObjectRef,
  signal: AbortSignal,
): Promise<ObjectRef | undefined> {
  try {
    const path = apiPaths.pod(pod.namespace, pod.name);
    const uid = readMeta(await api.request({ method: 'GET', path, operation: 'get own pod', signal }))?.uid;
    return { ...pod, uid };
  } catch (err) {
    if (err instanceof KubeApiError && err.code === 'NOT_FOUND') return undefined;
    signal.throwIfAborted();
    return pod; // without the uid the Event is still found by name
  }
}
