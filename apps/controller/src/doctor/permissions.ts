import type { Policy } from '@reattach/core';

/** One permission, as a role grants it. */
export interface Permission {
  readonly verb: string;
  readonly group: string;
  /** With its subresource, `nodes/status`. */
  readonly resource: string;
  /** Absent: every object. */
  readonly name?: string;
  /** Absent: in all namespaces. */
  readonly namespace?: string;
}

const STORAGE = 'storage.k8s.io';
const LEASES = 'coordination.k8s.io';

/** What the controller needs with this policy, and nothing else. @see packages/k8s-actions/README.md */
export function permissionsFor(policy: Policy, leaseNamespace: string | undefined): readonly Permission[] {
  const isActing = policy.mode !== 'observe';
  return [
    ...read('', 'nodes'),
    ...read('', 'pods'),
    ...read('', 'persistentvolumes').filter(({ verb }) => verb !== 'get'),
    ...read(STORAGE, 'volumeattachments'),
    ...(policy.earlyDetection.enabled ? read(LEASES, 'leases', 'kube-node-lease') : []),
    { verb: 'get', group: '', resource: 'namespaces', name: 'kube-system' },
    { verb: 'create', group: 'events.k8s.io', resource: 'events' },
    { verb: 'patch', group: 'events.k8s.io', resource: 'events' },
    ...(isActing
      ? [
          { verb: 'delete', group: '', resource: 'pods' },
          { verb: 'delete', group: STORAGE, resource: 'volumeattachments' },
          { verb: 'patch', group: '', resource: 'nodes' },
        ]
      : []),
    ...(isActing && (policy.strategy === 'auto' || policy.strategy === 'in-use')
      ? [{ verb: 'patch', group: '', resource: 'nodes/status' }]
      : []),
    ...(leaseNamespace === undefined
      ? []
      : ['get', 'create', 'update'].map((verb) => ({
          verb,
          group: LEASES,
          resource: 'leases',
          namespace: leaseNamespace,
        }))),
  ];
}

function read(group: string, resource: string, namespace?: string): readonly Permission[] {
  return ['get', 'list', 'watch'].map((verb) => ({
    verb,
    group,
    resource,
    namespace,
  }));
}
