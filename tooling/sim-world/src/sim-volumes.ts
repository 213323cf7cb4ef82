import type { KubeSim } from '@reattach/kube-sim';
import type { RdsSim } from '@reattach/rds-sim';

/** Where PersistentVolumes say the backend is; SSH listens elsewhere. */
export const BACKEND_ADDRESS = '10.0.0.10';

/** Products that a world can have as its storage backend: kinds of the controller's configuration. */
export type BackendKind = 'rds' | 'linux-nvmet';

export interface SimVolumeOptions {
  /** PersistentVolume, `volumeHandle` and slot at the backend. */
  readonly name: string;
  /** `name` in the namespace `default`, or `namespace/name`. */
  readonly claim: string;
  /** Default ReadWriteOnce. */
  readonly accessModes?: readonly string[];
}

/** Adds a volume to the backend, and its PersistentVolume and claim to the cluster. */
export function addSimVolume(
  { kube, rds, driver, backend }: { kube: KubeSim; rds: RdsSim; driver: string; backend: BackendKind },
  { name, claim, accessModes }: SimVolumeOptions,
): void {
  const nqn = `nqn.2026-01.example.test:${name}`;
  rds.device.addVolume({ slot: name, nqn, sizeBytes: 2 ** 30 });
  const attributes = ATTRIBUTES[backend](nqn);
  kube.addVolume({ name, claim, handle: name, driver, attributes, ...(accessModes && { accessModes }) });
}

type Attributes = (nqn: string) => Readonly<Record<string, string>>;

const ATTRIBUTES: Readonly<Record<BackendKind, Attributes>> = {
  // As rds-csi names a volume.
  rds: (nqn) => ({ nqn, nvmeAddress: BACKEND_ADDRESS, nvmePort: '4420' }),
  // As democratic-csi names a volume.
  'linux-nvmet': (nqn) => ({
    node_attach_driver: 'nvmeof',
    transports: `tcp://${BACKEND_ADDRESS}:4420`,
    nqn,
    nsid: '1',
  }),
};
