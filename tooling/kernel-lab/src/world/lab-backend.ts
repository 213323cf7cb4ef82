import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startKernelRds } from '../rds/kernel-rds.ts';
import type { LabMachines } from './lab-machines.ts';
import type { Volume } from './volume.ts';

/** `linux`: the forced command. `rds`: RouterOS commands that are answered from the same kernel's tables. */
export const BACKENDS = ['linux', 'rds'] as const;
export type BackendKind = (typeof BACKENDS)[number];

/** How a cluster and a controller see the lab's target. */
export interface LabBackend {
  readonly driver: string;
  /** Volume attributes of a PersistentVolume. */
  readonly attributes: (volume: Volume) => Readonly<Record<string, string>>;
  /** The part of the controller's configuration. */
  readonly config: object;
}

/** Time between two readings of a target that nothing is asked about: a scenario waits for it. */
const IDLE_POLL_MS = 5_000;

/** Starts what answers for the target, if anything; `cleanup` ends it. */
export async function startBackend(
  kind: BackendKind,
  machines: LabMachines,
  cleanup: AsyncDisposableStack,
): Promise<LabBackend> {
  return kind === 'linux' ? linuxTarget(machines) : kernelRds(machines, cleanup);
}

/** Volumes as democratic-csi describes them. */
function linuxTarget({ target, image }: LabMachines): LabBackend {
  const transport = `tcp://${target.address}:4420`;
  const settings = {
    name: 'target',
    kind: 'linux-nvmet',
    address: `${target.controlAddress}:22`,
    user: 'reattach',
    privateKeyFile: image.privateKey,
    hostKeyFile: image.hostPublicKey,
    storageAddresses: target.address,
    ports: '4420',
    idlePollMs: IDLE_POLL_MS,
  };
  return {
    driver: 'org.democratic-csi.nvmeof',
    attributes: ({ nqn }) => ({
      node_attach_driver: 'nvmeof',
      provisioner_driver: 'zfs-generic-nvmeof',
      transport,
      transports: transport,
      nqn,
      nsid: '1',
    }),
    config: { backends: [settings] },
  };
}

async function kernelRds(machines: LabMachines, cleanup: AsyncDisposableStack): Promise<LabBackend> {
  const { target, folder } = machines;
  const rds = cleanup.use(await startKernelRds(machines));
  const privateKeyFile = join(folder, 'rds-key');
  const hostKeyFile = join(folder, 'rds-host-key');
  await writeFile(privateKeyFile, rds.credentials.privateKey, { mode: 0o600 });
  await writeFile(hostKeyFile, rds.hostKey);
  return {
    driver: 'rds.csi.srvlab.io',
    attributes: ({ nqn }) => ({ nqn, nvmeAddress: target.address, nvmePort: '4420' }),
    config: {
      rds: {
        address: `${rds.host}:${rds.port}`,
        user: rds.credentials.username,
        privateKeyFile,
        hostKeyFile,
        storageAddresses: target.address,
        idlePollMs: IDLE_POLL_MS,
      },
    },
  };
}
