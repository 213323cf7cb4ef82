import type { ClusterEvent } from '@reattach/core';
import { RecordingLogger } from '@reattach/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KubeEventRecorder } from '../../src/kube-event-recorder.ts';
import { KubeSimCluster } from './kube-sim-cluster.ts';

const CLAIM: ClusterEvent = {
  type: 'Warning',
  reason: 'ReleaseHeld',
  message: 'node-a still writes',
  regarding: { kind: 'PersistentVolumeClaim', namespace: 'db', name: 'data-0', uid: 'pvc-uid' },
};
const NODE: ClusterEvent = {
  type: 'Normal',
  reason: 'NodeFenced',
  message: 'x'.repeat(2_000),
  regarding: { kind: 'Node', namespace: '', name: 'node-a', uid: 'n1' },
};

describe('KubeEventRecorder against an API server', () => {
  let cluster: KubeSimCluster;
  let logger: RecordingLogger;
  let record: (event: ClusterEvent) => Promise<void>;

  beforeEach(async () => {
    cluster = await KubeSimCluster.start();
    logger = new RecordingLogger();
    const { api, clock } = cluster;
    const recorder = new KubeEventRecorder({ api, clock, reportingInstance: 'reattach-1', logger });
    record = (event) => cluster.settled(recorder.record(event, new AbortController().signal));
  });
  afterEach(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  it('writes Events the server accepts, where kubectl looks for them', async () => {
    await record(CLAIM);
    await record(NODE);
    expect(cluster.sim.store.list('Event')).toMatchObject([
      { metadata: { namespace: 'db' }, involvedObject: { name: 'data-0' }, message: 'node-a still writes' },
      { metadata: { namespace: 'default' }, involvedObject: { name: 'node-a' }, reason: 'NodeFenced' },
    ]);
    expect(logger.lines).toEqual([]);
  });

  it('counts repetitions on the Event that is there, and writes a new one once that is dropped', async () => {
    await record(CLAIM);
    await record(CLAIM);
    await cluster.advance(300_000);
    await record(CLAIM);
    const [event] = cluster.sim.store.list('Event');
    expect(event).toMatchObject({ series: { count: 3 } });

    cluster.sim.store.delete('Event', event?.metadata.name ?? '', 'db');
    await cluster.advance(600_000);
    await record(CLAIM);
    expect(cluster.sim.store.list('Event')).toHaveLength(1);
    expect(logger.lines).toEqual([]);
  });

  it('writes one Event when the answer to the first attempt was lost', async () => {
    cluster.sim.faults.add({ method: 'POST' }, { kind: 'reset', applied: true });
    await record(CLAIM);
    expect(cluster.sim.requests.map(({ status }) => status)).toEqual([undefined, 409]);
    expect(cluster.sim.store.list('Event')).toHaveLength(1);
    expect(logger.messages('warn')).toEqual(['Failed Kubernetes request was scheduled again']);
  });

  it('logs what the server refuses, and goes on', async () => {
    cluster.sim.faults.add({ method: 'POST' }, { kind: 'status', status: 403, reason: 'Forbidden' });
    await record(CLAIM);
    expect(logger.lines).toMatchObject([{ level: 'warn', message: 'Event was not written' }]);
    await record(CLAIM);
    expect(cluster.sim.store.list('Event')).toHaveLength(1);
  });
});
