import { KubeConfig } from '@kubernetes/client-node';
import { type Clock, type Logger, silentLogger, systemClock } from '@reattach/core';
import { CredentialSource } from './credentials.ts';
import type { KubeApi } from './kube-api.ts';
import { badConfig } from './translate-error.ts';
import { UndiciKubeApi } from './undici-kube-api.ts';

/** Where the API server is found and how it lets us in. */
export interface LoadKubeApiOptions {
  /** A kubeconfig file. Absent: the pod's service account. The environment's KUBECONFIG is not looked at. */
  readonly kubeconfigPath?: string;
  /** A context of the kubeconfig. Default: its current one. */
  readonly context?: string;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/**
 * Reads a kubeconfig or the service account; makes no connection yet.
 * @throws {KubeApiError} `BAD_CONFIG` when it is unreadable or names no reachable cluster, outcome `not-applied`.
 */
export function loadKubeApi(options: LoadKubeApiOptions = {}): KubeApi {
  const { logger = silentLogger, clock = systemClock } = options;
  const { config, server } = loadConfig(options);
  return new UndiciKubeApi({ server, credentials: new CredentialSource(config), clock, logger });
}

function loadConfig({ kubeconfigPath, context }: LoadKubeApiOptions): { config: KubeConfig; server: string } {
  const config = new KubeConfig();
  const where = kubeconfigPath === undefined ? 'the service account' : `kubeconfig ${kubeconfigPath}`;
  try {
    if (kubeconfigPath === undefined) config.loadFromCluster();
    else config.loadFromFile(kubeconfigPath);
  } catch (error) {
    throw badConfig(`${where} cannot be read`, error);
  }
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (!cluster) throw badConfig(`${where} has no cluster for context "${config.getCurrentContext()}"`);
  if (cluster.proxyUrl !== undefined) throw badConfig(`${where} asks for a proxy, which is not supported`);
  const { server } = cluster;
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol)) {
    throw badConfig(`${where} has a server that is no http or https URL: "${server}"`);
  }
  // The library refuses plain http unless told to skip TLS checks, and forgets the CA of a context without user.
  config.loadFromClusterAndUser(
    { ...cluster, skipTLSVerify: cluster.skipTLSVerify || server.startsWith('http:') },
    config.getCurrentUser() ?? { name: 'anonymous' },
  );
  return { config, server };
}
