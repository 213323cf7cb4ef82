/** Everything the servers share: ports, files and credentials of one run. Files are relative to the run's folder. */
export interface EnvtestLayout {
  readonly folder: string;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  readonly apiServerPort: number;
  readonly controllerManagerPort: number;
}

export const FILES = {
  /** kube-apiserver writes its self-signed certificate here, followed by that certificate's authority. */
  apiServerCertificate: 'apiserver/apiserver.crt',
  controllerManagerCertificate: 'controller-manager/kube-controller-manager.crt',
  controllerManagerKubeconfig: 'controller-manager.kubeconfig',
  serviceAccountKey: 'service-account.key',
  tokens: 'tokens.csv',
} as const;

/** kube-controller-manager 1.20 serves an insecure port unless this flag is 0; 1.24 dropped the flag. */
const INSECURE_PORT_DROPPED_IN_MINOR = 24;

export function etcdFlags(layout: EnvtestLayout): readonly string[] {
  const clientUrl = `http://127.0.0.1:${layout.etcdPort}`;
  const peerUrl = `http://127.0.0.1:${layout.etcdPeerPort}`;
  return [
    '--name=envtest',
    '--data-dir=etcd',
    '--unsafe-no-fsync',
    '--log-level=warn',
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=envtest=${peerUrl}`,
  ];
}

/** @param extra appended last, so that they win. */
export function apiServerFlags(layout: EnvtestLayout, extra: readonly string[]): readonly string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${layout.etcdPort}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${layout.apiServerPort}`,
    '--endpoint-reconciler-type=none',
    '--cert-dir=apiserver',
    `--token-auth-file=${FILES.tokens}`,
    '--authorization-mode=RBAC',
    '--allow-privileged=true',
    '--profiling=false',
    '--service-account-issuer=https://127.0.0.1/',
    `--service-account-key-file=${FILES.serviceAccountKey}`,
    `--service-account-signing-key-file=${FILES.serviceAccountKey}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--disable-admission-plugins=ServiceAccount',
    ...extra,
  ];
}

/** @param minor of Kubernetes 1.x. @param extra appended last, so that they win. */
export function controllerManagerFlags(
  layout: EnvtestLayout,
  minor: number,
  extra: readonly string[],
): readonly string[] {
  return [
    `--kubeconfig=${FILES.controllerManagerKubeconfig}`,
    '--bind-address=127.0.0.1',
    ...(minor < INSECURE_PORT_DROPPED_IN_MINOR ? ['--port=0'] : []),
    `--secure-port=${layout.controllerManagerPort}`,
    '--cert-dir=controller-manager',
    '--leader-elect=false',
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${FILES.serviceAccountKey}`,
    `--root-ca-file=${FILES.apiServerCertificate}`,
    `--flex-volume-plugin-dir=${layout.folder}/flexvolume`,
    ...extra,
  ];
}
