import type { SimWorld, WorldFiles } from './sim-world.ts';

/** Waits that a production controller would refuse, in step with the compressed times of the world. */
export const COMPRESSED_FLAGS: readonly string[] = [
  '--unsafe-compressed-times',
  '--grace-period-ms=3000',
  '--silent-grace-ms=500',
  '--rds-activity-window-ms=2000',
  '--suspect-poll-ms=200',
  '--rds-idle-poll-ms=500',
  '--rds-quiesce-ms=1500',
  '--rds-writes-still-ms=250',
  '--fence-poll-ms=500',
  '--detach-timeout-ms=5000',
];

/** With what a controller finds both sides of a simulated world; it serves on a port that is free. */
export function worldFlags(
  { rds, backendAddress, driver }: Pick<SimWorld, 'rds' | 'backendAddress' | 'driver'>,
  files: Pick<WorldFiles, 'kubeconfig' | 'privateKey' | 'hostKey'>,
): readonly string[] {
  return [
    `--kubeconfig=${files.kubeconfig}`,
    `--attacher=${driver}`,
    `--rds-address=${rds.host}:${rds.port}`,
    `--rds-user=${rds.credentials.username}`,
    `--rds-private-key-file=${files.privateKey}`,
    `--rds-host-key-file=${files.hostKey}`,
    `--rds-storage-addresses=${backendAddress}`,
    '--http-listen=127.0.0.1:0',
  ];
}
