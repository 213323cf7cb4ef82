import type { SimWorld, WorldFiles } from '@reattach/sim-world';
import { COMPRESSED_FLAGS } from './stage.ts';

/** With what a controller finds both sides of a simulated world. */
export function worldFlags({ rds, boxAddress, driver }: SimWorld, files: WorldFiles): readonly string[] {
  return [
    ...COMPRESSED_FLAGS,
    `--kubeconfig=${files.kubeconfig}`,
    `--attacher=${driver}`,
    `--rds-address=${rds.host}:${rds.port}`,
    `--rds-user=${rds.credentials.username}`,
    `--rds-private-key-file=${files.privateKey}`,
    `--rds-host-key-file=${files.hostKey}`,
    `--rds-storage-addresses=${boxAddress}`,
    '--http-listen=127.0.0.1:0',
  ];
}
