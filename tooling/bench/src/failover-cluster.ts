/** The cluster of design section 7 in which nodes die. */
export const NODES = 1_000;
export const ATTACHMENTS = 10_000;
/** Nodes that die, again and again; the first of all. */
export const DYING = 100;
/** Hosts after them that stay live, because silence proves nothing without a live host. */
export const WITNESSES = 5;
export const DRIVER = 'rds.csi.srvlab.io';
export const BACKEND_ADDRESS = '10.0.0.10';

export interface ClusterNode {
  readonly name: string;
  readonly address: string;
  /** Its volumes are at the backend; the others' are only in Kubernetes. */
  readonly hasHost: boolean;
  readonly volumes: readonly { readonly slot: string; readonly nqn: string }[];
}

/** Each host has one volume; the other nodes share the rest. */
export function clusterNodes(): readonly ClusterNode[] {
  const hosts = DYING + WITNESSES;
  const others = NODES - hosts;
  const rest = ATTACHMENTS - hosts;
  return Array.from({ length: NODES }, (_, index) => {
    const hasHost = index < hosts;
    const count = hasHost ? 1 : Math.floor(rest / others) + (index - hosts < rest % others ? 1 : 0);
    return {
      name: `node-${index}`,
      address: `10.1.${index >> 8}.${index & 255}`,
      hasHost,
      volumes: Array.from({ length: count }, (_volume, each) => {
        const slot = `pvc-${index}-${each}`;
        return { slot, nqn: `nqn.2026-01.example.test:${slot}` };
      }),
    };
  });
}
