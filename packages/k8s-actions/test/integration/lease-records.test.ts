import { RecordingLogger } from '@reattach/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LeaseRecords } from '../../src/lease-records.ts';
import { KubeSimCluster } from './kube-sim-cluster.ts';

const NOTE = { addresses: ['10.0.0.1', '10.0.1.1'], attachmentUids: ['u1', 'u2'] };
const ANNOTATION = 'reattach.srvlab.io/lost-nodes';
const { signal } = new AbortController();

describe('LeaseRecords', () => {
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
  const open = () => new LeaseRecords({ api: cluster.api, namespace: 'reattach', name: 'records', logger });
  const write = (node: string, record = NOTE) => cluster.settled(open().write(node, record, signal));
  const read = async (node: string) => (await cluster.settled(open().read(signal))).get(node);
  const setText = (text: string) =>
    cluster.sim.store.patch(
      'Lease',
      'records',
      { metadata: { annotations: { [ANNOTATION]: text } } },
      'reattach',
    );

  it('keeps a record for whoever comes next, by node; the last one counts', async () => {
    expect(await read('node-a')).toBeUndefined();
    await write('node-a', { addresses: ['old'], attachmentUids: ['u0'] });
    await write('node-b');
    await write('node-a');
    expect(await read('node-a')).toMatchObject(NOTE);
    expect(await read('node-b')).toMatchObject(NOTE);
    expect(await read('node-c')).toBeUndefined();
  });

  it('is held by nobody, and writes the same only once', async () => {
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
    expect(await read('node-a')).toMatchObject(NOTE);
    expect(await read('node-b')).toMatchObject(NOTE);
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

  it('forgets the oldest when there are too many', async () => {
    for (let index = 0; index < 17; index++) await write(`node-${index}`);
    expect(await read('node-0')).toBeUndefined();
    expect(await read('node-1')).toMatchObject(NOTE);
    expect(await read('node-16')).toMatchObject(NOTE);
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
      expect(await read('node-a')).toMatchObject(NOTE);
    },
  );

  it('says nothing, and logs why, when it cannot be read', async () => {
    cluster.sim.faults.add({ method: 'GET' }, { kind: 'status', status: 403 });
    expect(await read('node-a')).toBeUndefined();
    expect(logger.messages('warn')).toEqual(['Notes about lost nodes were not read']);
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
