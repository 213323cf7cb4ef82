import type { FenceRecord } from '@reattach/core';
import { FakeFenceRecords } from '@reattach/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LeaseFenceRecords } from '../../src/lease-fence-records.ts';
import { KubeSimCluster } from './kube-sim-cluster.ts';

const { signal } = new AbortController();
const RECORD: FenceRecord = {
  id: 'f0000001',
  clusterId: 'cluster-1',
  owner: 'csi.test',
  nodeName: 'node-a',
  nodeUid: 'uid-1',
  machineId: 's/m',
  bootId: 'boot-1',
  addresses: [
    { kind: 'ip', value: '10.0.0.1' },
    { kind: 'nqn', value: 'nqn.2014-08.org.nvmexpress:uuid:1' },
  ],
  fencedAtMs: 1_767_225_600_000,
};
const PARTIAL: FenceRecord = { id: 'f0000002', nodeName: 'node-b', addresses: [], fencedAtMs: 1 };

describe.each(['LeaseFenceRecords', 'FakeFenceRecords'] as const)('%s', (which) => {
  let cluster: KubeSimCluster;
  let fake: FakeFenceRecords;
  beforeEach(async () => {
    cluster = await KubeSimCluster.start();
    fake = new FakeFenceRecords();
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const open = () =>
    which === 'FakeFenceRecords'
      ? fake
      : new LeaseFenceRecords({
          api: cluster.api,
          namespace: 'reattach',
          name: 'fences',
          owner: 'csi.test/c1',
        });
  const write = (backend: string, record: FenceRecord) =>
    cluster.settled(open().write(backend, record, signal));
  const read = async () => Object.fromEntries(await cluster.settled(open().read(signal)));

  it('keeps records by backend until they are removed', async () => {
    expect(await read()).toEqual({});
    await write('east', RECORD);
    await write('west', RECORD);
    await write('east', PARTIAL);
    expect(await read()).toEqual({ east: [RECORD, PARTIAL], west: [RECORD] });
    await cluster.settled(open().remove('east', RECORD.id, signal));
    await cluster.settled(open().remove('east', RECORD.id, signal));
    expect(await read()).toEqual({ east: [PARTIAL], west: [RECORD] });
  });

  it('replaces the record of a fence', async () => {
    await write('east', RECORD);
    await write('east', { ...RECORD, bootId: 'boot-2' });
    expect(await read()).toEqual({ east: [{ ...RECORD, bootId: 'boot-2' }] });
  });
});

describe('LeaseFenceRecords', () => {
  let cluster: KubeSimCluster;
  let records: LeaseFenceRecords;
  beforeEach(async () => {
    cluster = await KubeSimCluster.start();
    const place = { namespace: 'reattach', name: 'fences' };
    records = new LeaseFenceRecords({ api: cluster.api, ...place, owner: 'csi.test/c1' });
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  it('drops no record for want of room', async () => {
    const addresses = Array.from(
      { length: 1_000 },
      (_, index) => ({ kind: 'ip', value: `10.0.0.${index}` }) as const,
    );
    for (let index = 0; index < 5; index++) {
      await cluster.settled(records.write('east', { ...RECORD, addresses, id: `f${index}` }, signal));
    }
    const one = records.write('east', { ...RECORD, addresses, id: 'f5' }, signal);
    await expect(cluster.settled(one)).rejects.toMatchObject({
      code: 'RECORDS_FULL',
      outcome: 'not-applied',
    });
    expect((await cluster.settled(records.read(signal))).get('east')).toHaveLength(5);
  });

  it.each([
    '{',
    '{}',
    '[{}]',
    `[{"backend":"east","id":"f","nodeName":"n","fencedAtMs":1,"addresses":["10.0.0.1"]}]`,
  ])('neither reads nor replaces %s', async (text) => {
    await cluster.settled(records.write('east', RECORD, signal));
    const metadata = { annotations: { 'reattach.srvlab.io/fences': text } };
    cluster.sim.store.patch('Lease', 'fences', { metadata }, 'reattach');
    const expected = {
      code: 'MALFORMED',
      message: expect.stringContaining('annotation reattach.srvlab.io/fences of Lease reattach/fences'),
    };
    await expect(cluster.settled(records.read(signal))).rejects.toMatchObject(expected);
    await expect(cluster.settled(records.write('east', PARTIAL, signal))).rejects.toMatchObject(expected);
    await expect(cluster.settled(records.remove('east', 'f', signal))).rejects.toMatchObject(expected);
    expect(cluster.sim.store.get('Lease', 'fences', 'reattach')?.metadata.annotations).toMatchObject(
      metadata.annotations,
    );
  });
});
