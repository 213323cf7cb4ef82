import { describe, expect, it } from 'vitest';
import { resourceOfPath } from './api-resource.ts';

describe('resourceOfPath', () => {
  it.each([
    ['/api/v1/nodes', 'nodes', ''],
    ['/apis/storage.k8s.io/v1/volumeattachments', 'volumeattachments', 'storage.k8s.io'],
    ['/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases', 'leases', 'coordination.k8s.io'],
    ['/api/v1/namespaces/web/pods', 'pods', ''],
  ])('%s -> %s in "%s"', (path, plural, group) => {
    expect(resourceOfPath(path)).toEqual({ plural, group });
  });

  it.each(['', '/', '/api', '/api/v1', '/livez', '/api/v1/'])('refuses %j', (path) => {
    expect(() => resourceOfPath(path)).toThrow(TypeError);
  });
});
