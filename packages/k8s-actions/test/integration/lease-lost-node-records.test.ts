import { RecordingLogger } from '@reattach/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LeaseLostNodeRecords } from '../../src/lease-lost-node-records.ts';
import { KubeSimCluster } from './kube-sim-cluster.ts';

const RECORD = { addresses: ['10.0.0.1', '10.0.1.1'], attachmentUids: ['u1', 'u2'] };
const ANNOTATION = 'reattach.srvlab.io/lost-nodes';
const { signal } = new AbortController();

describe('LeaseLostNodeRecords', () => {
  let cluster: KubeSimCluster;
  let logger: RecordingLogger;

  beforeEach(async () => {
    cluster = await KubeSimCluster.start();
    logger = new RecordingLogger();
  });
  afterEach(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  const lease = () => cluster.sim.store.get('Lease', 'records', 'reattach');
  const open = (owner = 'csi.test/cluster-1') =>
    new LeaseLostNodeRecords({ api: cluster.api, namespace: 'reattach', name: 'records', owner, logger });
  const write = (node: string, record = RECORD) => cluster.settled(open().write(node, record, signal));
  const read = async (node: string) => (await cluster.settled(open().read(signal))).get(node);
  const setText = (text: string) =>
    cluster.sim.store.patch(
      'Lease',
      'records',
      { metadata: { annotations: { [ANNOTATION]: text } } },
      'reattach',
    );

  it('keeps a record for the next process, by node; the last one counts', async () => {
    expect(await read('node-a')).toBeUndefined();
    await write('node-a', { addresses: ['old'], attachmentUids: ['u0'] });
    await write('node-b');
    await write('node-a');
    expect(await read('node-a')).toMatchObject(RECORD);
    expect(await read('node-b')).toMatchObject(RECORD);
    expect(await read('node-c')).toBeUndefined();
  });

  it('has no holder, and writes the same only once', async () => {
    await write('node-a');
    const { resourceVersion } = lease()?.metadata ?? {};
    await write('node-a');
    expect(lease()?.metadata.resourceVersion).toBe(resourceVersion);
    expect(lease()?.spec?.holderIdentity).toBeUndefined();
  });

  it('keeps what others wrote meanwhile', async () => {
    await write('node-a');
    let isFirst = true;
    cluster.beforeRequest = ({ method }) => {
      if (method !== 'PUT' || !isFirst) return;
      isFirst = false;
      cluster.sim.store.patch('Lease', 'records', { metadata: { labels: { changed: 'yes' } } }, 'reattach');
    };
    await write('node-b');
    expect(lease()?.metadata.labels).toEqual({ changed: 'yes' });
    expect(await read('node-a')).toMatchObject(RECORD);
    expect(await read('node-b')).toMatchObject(RECORD);
  });

  it('gives up when others never stop writing', async () => {
    await write('node-a');
    let changes = 0;
    cluster.beforeRequest = ({ method }) => {
      if (method !== 'PUT') return;
      changes += 1;
      const labels = { changed: String(changes) };
      cluster.sim.store.patch('Lease', 'records', { metadata: { labels } }, 'reattach');
    };
    await expect(write('node-b')).rejects.toMatchObject({ code: 'CONFLICT', outcome: 'not-applied' });
    expect(changes).toBe(3);
  });

  it('loses no record of many nodes that are lost at once', async () => {
    const records = open();
    const names = Array.from({ length: 20 }, (_, index) => `node-${index}`);
    await cluster.settled(Promise.all(names.map((name) => records.write(name, RECORD, signal))));
    expect([...(await cluster.settled(records.read(signal))).keys()].toSorted()).toEqual(names.toSorted());
  });

  it.each([
    ['another attacher', 'other.csi.test/cluster-1'],
    ['another cluster', 'csi.test/cluster-2'],
  ])('leaves the records of %s alone', async (_what, owner) => {
    await write('node-a');
    const before = lease();
    const foreign = open(owner);
    expect(await cluster.settled(foreign.read(signal))).toEqual(new Map());
    expect(logger.lines.at(-1)?.fields['err']).toMatchObject({ code: 'FOREIGN_OWNER' });
    await expect(cluster.settled(foreign.write('node-b', RECORD, signal))).rejects.toMatchObject({
      code: 'FOREIGN_OWNER',
      outcome: 'not-applied',
      message: expect.stringContaining('belongs to "csi.test/cluster-1"'),
    });
    expect(lease()).toEqual(before);
  });

  it('takes a Lease that was created by hand', async () => {
    const draft = { kind: 'Lease', metadata: { name: 'records', namespace: 'reattach' }, spec: {} } as const;
    cluster.sim.store.create(draft);
    await write('node-a');
    expect(lease()?.metadata.annotations).toMatchObject({ 'reattach.srvlab.io/owner': 'csi.test/cluster-1' });
  });

  it('forgets the oldest when there are too many', async () => {
    for (let index = 0; index < 129; index++) await write(`node-${index}`);
    expect(await read('node-0')).toBeUndefined();
    expect(await read('node-1')).toMatchObject(RECORD);
    expect(await read('node-128')).toMatchObject(RECORD);
  });

  it('forgets the oldest when they are too long', async () => {
    const attachmentUids = Array.from({ length: 2_000 }, (_, index) => `00000000-0000-4000-8000-${index}`);
    for (const node of ['node-a', 'node-b', 'node-c', 'node-d']) {
      await write(node, { addresses: ['10.0.0.1'], attachmentUids });
    }
    const kept = await Promise.all(['node-a', 'node-b', 'node-c', 'node-d'].map(read));
    expect(kept.map((record) => record?.attachmentUids.length)).toEqual([undefined, 2_000, 2_000, 2_000]);
  });

  it.each(['{', '1', '[1, {}, {"node": "node-a", "addresses": [1], "attachmentUids": []}]'])(
    'takes %s for no record, and writes over it',
    async (text) => {
      await write('node-a');
      setText(text);
      expect(await read('node-a')).toBeUndefined();
      await write('node-a');
      expect(await read('node-a')).toMatchObject(RECORD);
    },
  );

  it('says nothing, and logs why, when it cannot be read', async () => {
    cluster.sim.faults.add({ method: 'GET' }, { kind: 'status', status: 403 });
    expect(await read('node-a')).toBeUndefined();
    expect(logger.messages('warn')).toEqual(['Records of lost nodes were not read']);
  });

  it('logs a read that fails again and again once, and once more after one that did not', async () => {
    const records = open();
    const readSome = async (times: number) => {
      for (let time = 0; time < times; time++) await cluster.settled(records.read(signal));
    };
    cluster.sim.faults.add({ method: 'GET' }, { kind: 'status', status: 403 }, 3);
    await readSome(4);
    expect(logger.messages('warn')).toHaveLength(1);
    cluster.sim.faults.add({ method: 'GET' }, { kind: 'status', status: 403 });
    await readSome(1);
    expect(logger.messages('warn')).toHaveLength(2);
  });
});
