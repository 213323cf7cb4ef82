import { apiPaths, type KubeApi, KubeApiError, readMeta } from '@reattach/k8s-api';

/** The namespace that exists in every cluster from its first start, and cannot be deleted. */
const NAMESPACE = 'kube-system';

/**
 * Reads what identifies this cluster: the uid of its namespace `kube-system`. Two clusters at one backend differ in it, and
 * it survives upgrades and changes of the API server's address.
 * @throws {KubeApiError} when it could not be read; `FORBIDDEN` names the permission to grant. Rejects with `signal.reason`.
 */
export async function readClusterId(api: KubeApi, signal: AbortSignal): Promise<string> {
  const path = apiPaths.namespace(NAMESPACE);
  const raw = await api.request({ method: 'GET', path, operation: 'get cluster id', signal }).catch(explain);
  const meta = readMeta(raw);
  if (meta?.name === NAMESPACE) return meta.uid;
  throw new KubeApiError('MALFORMED', 'not-applied', `the answer to GET ${path} is not that namespace`);
}

function explain(err: unknown): never {
  if (!(err instanceof KubeApiError) || err.code !== 'FORBIDDEN') throw err;
  const message = `cannot read namespace "${NAMESPACE}", whose uid identifies the cluster: grant verb "get" on resource "namespaces" with resourceNames ["${NAMESPACE}"]`;
  throw new KubeApiError('FORBIDDEN', 'not-applied', message, { cause: err, status: 403 });
}
