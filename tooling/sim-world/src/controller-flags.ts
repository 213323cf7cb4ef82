import type { BackendKind } from './sim-volumes.ts';
import type { SimWorld, WorldFiles } from './sim-world.ts';

/** Waits that a production controller would refuse, in step with the compressed times of the world. */
export const COMPRESSED_FLAGS: readonly string[] = [
  '--unsafe-compressed-times',
  '--grace-period-ms=3000',
  '--silent-grace-ms=500',
  '--suspect-poll-ms=200',
  '--fence-poll-ms=500',
  '--detach-timeout-ms=5000',
];

/** A host that was heard within this time is live. Real: 15 000 ms. */
export const ACTIVITY_WINDOW_MS = 2_000;

/** The same for the options of a backend. */
const COMPRESSED_BACKEND_FLAGS: Readonly<Record<BackendKind, readonly string[]>> = {
  rds: [`activity-window-ms=${ACTIVITY_WINDOW_MS}`, 'idle-poll-ms=500', 'writes-still-ms=250'],
  'linux-nvmet': [`activity-window-ms=${ACTIVITY_WINDOW_MS}`, 'idle-poll-ms=500', 'writes-still-ms=250'],
};

/** Flags with which a controller finds both sides of a simulated world, in compressed times; it serves on a free port. */
export function worldFlags(
  { rds, backend, backendAddress, driver }: Pick<SimWorld, 'rds' | 'backend' | 'backendAddress' | 'driver'>,
  files: Pick<WorldFiles, 'kubeconfig' | 'privateKey' | 'hostKey'>,
): readonly string[] {
  return [
    `--kubeconfig=${files.kubeconfig}`,
    `--attacher=${driver}`,
    `--${backend}-address=${rds.host}:${rds.port}`,
    `--${backend}-user=${rds.credentials.username}`,
    `--${backend}-private-key-file=${files.privateKey}`,
    `--${backend}-host-key-file=${files.hostKey}`,
    `--${backend}-storage-addresses=${backendAddress}`,
    ...COMPRESSED_BACKEND_FLAGS[backend].map((flag) => `--${backend}-${flag}`),
    '--http-listen=127.0.0.1:0',
  ];
}
