import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardWrites } from '../../src/guard-writes.ts';
import { K8sActionsError } from '../../src/k8s-actions-error.ts';
import { LeaseBackendHistory } from '../../src/lease-backend-history.ts';
import { KubeSimCluster } from './kube-sim-cluster.ts';

const { signal } = new AbortController();

describe('LeaseBackendHistory', () => {
  let cluster: KubeSimCluster;
  beforeEach(async () => {
    cluster = await KubeSimCluster.start();
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const open = (api = cluster.api) =>
    new LeaseBackendHistory({ api, namespace: 'reattach', name: 'history-rds-1', owner: 'csi.test/c1' });
  const write = (text: string) => cluster.settled(open().write(text, signal));
  const read = () => cluster.settled(open().read(signal));
  const lease = () => cluster.sim.store.get('Lease', 'history-rds-1', 'reattach');

  it('hands the text written last to the next process', async () => {
    expect(await read()).toBeUndefined();
    await write('{"10.0.0.1":1}');
    await write('{"10.0.0.1":2}');
    expect(await read()).toBe('{"10.0.0.1":2}');
  });

  it('writes an unchanged text once', async () => {
    await write('same');
    const { resourceVersion } = lease()?.metadata ?? {};
    await write('same');
    expect(lease()?.metadata.resourceVersion).toBe(resourceVersion);
  });

  it('writes nothing in a replica that does not lead, and reads all the same', async () => {
    await write('leader');
    const standby = open(guardWrites(cluster.api, { assertHeld: notLeading }));
    await cluster.settled(standby.write('standby', signal));
    expect(await cluster.settled(standby.read(signal))).toBe('leader');
  });

  it('takes 65536 bytes and refuses one more', async () => {
    await write('ä'.repeat(32_768));
    await expect(write('x'.repeat(65_537))).rejects.toMatchObject({
      code: 'RECORDS_FULL',
      outcome: 'not-applied',
      message: expect.stringContaining('would have 65537 bytes, more than 65536'),
    });
    expect(await read()).toHaveLength(32_768);
  });

  it('reports what could not be read or written', async () => {
    cluster.sim.faults.add({ method: 'GET' }, { kind: 'status', status: 403 }, 2);
    await expect(read()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(write('x')).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

function notLeading(): never {
  throw new K8sActionsError('NOT_LEADER', 'not-applied', 'test');
}
