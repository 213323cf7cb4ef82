import { apiPaths } from '@reattach/k8s-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readClusterId } from '../../src/read-cluster-id.ts';
import { KubeWorld } from '../kube-world.ts';

const PATH = apiPaths.namespace('kube-system');
const { signal } = new AbortController();

describe('readClusterId', () => {
  let world: KubeWorld;
  beforeEach(async () => {
    world = await KubeWorld.start();
  });
  afterEach(() => world[Symbol.asyncDispose]());

  it('is the uid of kube-system', async () => {
    const uid = world.sim.store.get('Namespace', 'kube-system')?.metadata.uid;
    expect(uid).toBeTypeOf('string');
    expect(await readClusterId(world.api, signal)).toBe(uid);
  });

  it('differs between two clusters', async () => {
    await using other = await KubeWorld.start({ clusterId: 'other' });
    expect(await readClusterId(other.api, signal)).not.toBe(await readClusterId(world.api, signal));
  });

  it('says which permission is missing', async () => {
    world.sim.faults.add({ path: PATH }, { kind: 'status', status: 403 });
    await expect(readClusterId(world.api, signal)).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining(
        'grant verb "get" on resource "namespaces" with resourceNames ["kube-system"]',
      ),
    });
  });

  it('passes other refusals on', async () => {
    world.sim.faults.add({ path: PATH }, { kind: 'status', status: 500 });
    await expect(readClusterId(world.api, signal)).rejects.toMatchObject({ code: 'SERVER_ERROR' });
  });
});
