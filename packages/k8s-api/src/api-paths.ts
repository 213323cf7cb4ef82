/**
 * Joins path segments, percent-encoding each, so that no name can reach outside its place.
 * @throws {TypeError} for an empty segment, `.` and `..`, which a server may resolve away.
 */
export function pathOf(...segments: readonly string[]): string {
  for (const segment of segments) {
    if (segment === '' || segment === '.' || segment === '..') {
      throw new TypeError(`Expected a name as path segment, got ${JSON.stringify(segment)}`);
    }
  }
  return `/${segments.map(encodeURIComponent).join('/')}`;
}

/** Paths of the resources Reattach reads and writes. */
export const apiPaths = {
  nodes: '/api/v1/nodes',
  node: (name: string): string => pathOf('api', 'v1', 'nodes', name),
  nodeStatus: (name: string): string => pathOf('api', 'v1', 'nodes', name, 'status'),
  namespace: (name: string): string => pathOf('api', 'v1', 'namespaces', name),
  pods: '/api/v1/pods',
  pod: (namespace: string, name: string): string =>
    pathOf('api', 'v1', 'namespaces', namespace, 'pods', name),
  persistentVolumes: '/api/v1/persistentvolumes',
  persistentVolume: (name: string): string => pathOf('api', 'v1', 'persistentvolumes', name),
  persistentVolumeClaim: (namespace: string, name: string): string =>
    pathOf('api', 'v1', 'namespaces', namespace, 'persistentvolumeclaims', name),
  volumeAttachments: '/apis/storage.k8s.io/v1/volumeattachments',
  volumeAttachment: (name: string): string =>
    pathOf('apis', 'storage.k8s.io', 'v1', 'volumeattachments', name),
  leases: (namespace: string): string =>
    pathOf('apis', 'coordination.k8s.io', 'v1', 'namespaces', namespace, 'leases'),
  lease: (namespace: string, name: string): string =>
    pathOf('apis', 'coordination.k8s.io', 'v1', 'namespaces', namespace, 'leases', name),
  /** The kubelets' Leases; one is named like its Node. */
  nodeLeases: '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases',
  nodeLease: (nodeName: string): string =>
    pathOf('apis', 'coordination.k8s.io', 'v1', 'namespaces', 'kube-node-lease', 'leases', nodeName),
  events: (namespace: string): string =>
    pathOf('apis', 'events.k8s.io', 'v1', 'namespaces', namespace, 'events'),
  event: (namespace: string, name: string): string =>
    pathOf('apis', 'events.k8s.io', 'v1', 'namespaces', namespace, 'events', name),
} as const;
