import { type Cluster, KubeConfig, type User } from '@kubernetes/client-node';
import { type Clock, type Logger, silentLogger, systemClock } from '@reattach/core';
import { CredentialSource } from './credentials.ts';
import type { KubeApi } from './kube-api.ts';
import { resolveKubeconfig } from './resolve-kubeconfig.ts';
import { badConfig } from './translate-error.ts';
import { UndiciKubeApi } from './undici-kube-api.ts';

/** Where the API server is found and how requests are authenticated. */
export interface LoadKubeApiOptions {
  /**
   * Kubeconfig files, merged as kubectl does. Absent or empty: the service account of the pod. Neither the environment's
   * KUBECONFIG nor the home directory is read.
   */
  readonly kubeconfigPaths?: readonly string[];
  /** A context of the kubeconfig. Default: its current one. */
  readonly context?: string;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/**
 * Reads kubeconfig files or the service account; makes no connection yet.
 * @throws {KubeApiError} `BAD_CONFIG`, outcome `not-applied`, that names file, context and field
 */
export function loadKubeApi(options: LoadKubeApiOptions = {}): KubeApi {
  const { kubeconfigPaths = [], context, logger = silentLogger, clock = systemClock } = options;
  const { cluster, user } =
    kubeconfigPaths.length === 0 ? serviceAccount(context) : resolveKubeconfig(kubeconfigPaths, context);
  const config = new KubeConfig();
  config.loadFromClusterAndUser(cluster, user);
  return new UndiciKubeApi({
    server: cluster.server,
    credentials: new CredentialSource(config),
    clock,
    logger,
  });
}

function serviceAccount(context: string | undefined): { readonly cluster: Cluster; readonly user: User } {
  if (context !== undefined)
    throw badConfig(`there is no kubeconfig, so context "${context}" cannot be looked up`);
  const config = new KubeConfig();
  try {
    config.loadFromCluster();
  } catch (err) {
    throw badConfig('the service account cannot be read', err);
  }
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (
    !cluster ||
    !user ||
    !URL.canParse(cluster.server) ||
    new URL(cluster.server).hostname === 'undefined'
  ) {
    throw badConfig(
      'there is neither a kubeconfig nor a service account: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set',
    );
  }
  return { cluster, user };
}
