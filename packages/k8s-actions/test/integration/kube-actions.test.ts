import type { NodeFact, PodFact, VolumeAttachmentFact } from '@reattach/core';
import { RecordingLogger, TEST_ATTACHER } from '@reattach/core/testing';
import { toNodeFact, toPodFact, toVolumeAttachmentFact } from '@reattach/k8s-api';
import { uniqueVolumeName } from '@reattach/kube-sim';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KubeActions } from '../../src/kube-actions.ts';
import { KubeSimCluster } from './kube-sim-cluster.ts';

const OURS = uniqueVolumeName(TEST_ATTACHER, 'h1');
const OURS_TOO = uniqueVolumeName(TEST_ATTACHER, 'h2');
const THEIRS = uniqueVolumeName('other.csi.example.com', 'h1');
const TAINT = { key: 'node.kubernetes.io/out-of-service', value: TEST_ATTACHER, effect: 'NoExecute' };
const UNREACHABLE = {
  key: 'node.kubernetes.io/unreachable',
  effect: 'NoExecute',
  timeAdded: '2026-01-01T00:00:00Z',
};
const NOTE = 'reattach.srvlab.io/out-of-service-boot-id';

describe('KubeActions against an API server', () => {
  let cluster: KubeSimCluster;
  let actions: KubeActions;
  const { signal } = new AbortController();

  beforeEach(async () => {
    cluster = await KubeSimCluster.start();
    const { api, clock } = cluster;
    actions = new KubeActions({
      api,
      clock,
      attacher: TEST_ATTACHER,
      random: () => 0.5,
      logger: new RecordingLogger(),
    });
  });
  afterEach(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  function addDeadNode(): NodeFact {
    const node = cluster.sim.addNode({
      name: 'node-a',
      ready: 'Unknown',
      internalIP: '10.0.0.1',
      taints: [UNREACHABLE],
      volumesInUse: [THEIRS, OURS, OURS_TOO],
    });
    return projected(toNodeFact(node));
  }

  function addPod(): PodFact {
    return projected(toPodFact(cluster.sim.addPod({ name: 'db-0', nodeName: 'node-a' })));
  }

  function addAttachment(): VolumeAttachmentFact {
    if (!cluster.sim.store.get('PersistentVolume', 'pv-a')) {
      cluster.sim.addVolume({ name: 'pv-a', handle: 'h1', driver: TEST_ATTACHER });
    }
    const raw = cluster.sim.addAttachment({ nodeName: 'node-a', persistentVolume: 'pv-a' });
    return projected(toVolumeAttachmentFact(raw));
  }

  /** Another client acts, once, after our read and before our write. */
  function beforeWrite(act: () => void): void {
    cluster.beforeRequest = ({ method }) => {
      if (method === 'GET') return;
      cluster.beforeRequest = () => undefined;
      act();
    };
  }

  const remove = (fact: NodeFact) =>
    cluster.settled(actions.removeVolumesInUse(fact, TEST_ATTACHER, ['h1'], signal));
  const node = () => cluster.sim.store.get('Node', 'node-a');
  const methods = () => cluster.sim.requests.map((request) => request.method);

  describe('deletes', () => {
    it('deletes a pod at once and says so once', async () => {
      const pod = addPod();
      expect(await actions.forceDeletePod(pod, signal)).toBe('deleted');
      expect(cluster.sim.store.list('Pod')).toEqual([]);
      expect(await actions.forceDeletePod(pod, signal)).toBe('gone');
    });

    it('spares a pod that took the name between read and delete', async () => {
      const pod = addPod();
      beforeWrite(() => {
        cluster.sim.store.delete('Pod', 'db-0', 'default', { gracePeriodSeconds: 0 });
        addPod();
      });
      expect(await cluster.settled(actions.forceDeletePod(pod, signal))).toBe('replaced');
      expect(methods()).toEqual(['GET', 'DELETE', 'GET']);
      expect(cluster.sim.requests[1]?.status).toBe(409);
      expect(cluster.sim.store.list('Pod')).toHaveLength(1);
    });

    it('marks a VolumeAttachment and leaves its finalizer', async () => {
      const attachment = addAttachment();
      expect(await actions.deleteVolumeAttachment(attachment, signal)).toBe('deleted');
      expect(cluster.sim.store.get('VolumeAttachment', attachment.name)?.metadata).toMatchObject({
        deletionTimestamp: expect.any(String),
        finalizers: [expect.stringMatching(/^external-attacher\//)],
      });
      expect(await actions.deleteVolumeAttachment(attachment, signal)).toBe('deleted');
      expect(methods()).toEqual(['GET', 'DELETE', 'GET']);
    });

    it('spares a VolumeAttachment that took the name between read and delete', async () => {
      const attachment = addAttachment();
      beforeWrite(() => {
        const { name } = attachment;
        cluster.sim.store.patch('VolumeAttachment', name, { metadata: { finalizers: null } });
        cluster.sim.store.delete('VolumeAttachment', name);
        addAttachment();
      });
      expect(await cluster.settled(actions.deleteVolumeAttachment(attachment, signal))).toBe('replaced');
      expect(cluster.sim.store.get('VolumeAttachment', attachment.name)?.metadata).not.toHaveProperty(
        'deletionTimestamp',
      );
    });

    it('reads again when the answer to a delete was lost', async () => {
      const pod = addPod();
      cluster.sim.faults.add({ method: 'DELETE' }, { kind: 'reset', applied: true });
      expect(await cluster.settled(actions.forceDeletePod(pod, signal))).toBe('gone');
    });
  });

  describe('removeVolumesInUse', () => {
    it('takes out our volume and touches nothing else', async () => {
      const dead = addDeadNode();
      const before = node();
      expect(await remove(dead)).toBe('changed');
      const { resourceVersion: _before, ...metadata } = before?.metadata ?? {};
      expect(node()).toMatchObject({
        metadata,
        spec: before?.spec,
        status: { ...before?.status, volumesInUse: [THEIRS, OURS_TOO] },
      });
      expect(await remove(dead)).toBe('unchanged');
    });

    it('neither loses nor undoes what a kubelet writes in between', async () => {
      const dead = addDeadNode();
      const mounted = uniqueVolumeName(TEST_ATTACHER, 'h3');
      beforeWrite(() => {
        cluster.sim.store.patch('Node', 'node-a', { status: { volumesInUse: [mounted, OURS_TOO, OURS] } });
      });
      expect(await remove(dead)).toBe('changed');
      expect(methods()).toEqual(['GET', 'PATCH', 'GET', 'PATCH']);
      expect(cluster.sim.requests[1]?.status).toBe(422);
      expect(node()?.status?.volumesInUse).toEqual([mounted, OURS_TOO]);
    });

    it('leaves a node alone that becomes ready in between', async () => {
      const dead = addDeadNode();
      beforeWrite(() => {
        cluster.sim.store.patch('Node', 'node-a', {
          status: { conditions: [{ type: 'Ready', status: 'True' }] },
        });
      });
      expect(await remove(dead)).toBe('replaced');
      expect(node()?.status?.volumesInUse).toEqual([THEIRS, OURS, OURS_TOO]);
    });

    it('leaves a node alone that registers again in between', async () => {
      const dead = addDeadNode();
      beforeWrite(() => {
        cluster.sim.store.delete('Node', 'node-a');
        cluster.sim.store.delete('Lease', 'node-a', 'kube-node-lease');
        addDeadNode();
      });
      expect(await remove(dead)).toBe('replaced');
      expect(node()?.status?.volumesInUse).toContain(OURS);
    });

    it('says gone when the Node is', async () => {
      const dead = addDeadNode();
      cluster.sim.store.delete('Node', 'node-a');
      expect(await remove(dead)).toBe('gone');
    });
  });

  describe('the out-of-service taint', () => {
    it('comes with its record and goes with it, beside foreign taints', async () => {
      const dead = addDeadNode();
      expect(await actions.addOutOfServiceTaint(dead, signal)).toBe('changed');
      expect(node()?.spec?.taints).toEqual([UNREACHABLE, TAINT]);
      expect(projected(toNodeFact(node())).outOfServiceBootId).toBe('boot-node-a-1');
      expect(await actions.addOutOfServiceTaint(dead, signal)).toBe('unchanged');

      expect(await actions.removeOutOfServiceTaint(dead, signal)).toBe('changed');
      expect(node()?.spec?.taints).toEqual([UNREACHABLE]);
      expect(node()?.metadata.annotations).toEqual({});
      expect(await actions.removeOutOfServiceTaint(dead, signal)).toBe('unchanged');
    });

    it('loses no taint that another client adds in between, at adding or removing', async () => {
      const dead = addDeadNode();
      const other = { key: 'example.com/other', effect: 'NoSchedule' };
      beforeWrite(() =>
        cluster.sim.store.patch('Node', 'node-a', { spec: { taints: [other, UNREACHABLE] } }),
      );
      expect(await cluster.settled(actions.addOutOfServiceTaint(dead, signal))).toBe('changed');
      expect(node()?.spec?.taints).toEqual([other, UNREACHABLE, TAINT]);

      beforeWrite(() => cluster.sim.store.patch('Node', 'node-a', { spec: { taints: [TAINT, other] } }));
      expect(await cluster.settled(actions.removeOutOfServiceTaint(dead, signal))).toBe('changed');
      expect(node()?.spec?.taints).toEqual([other]);
    });

    it("neither doubles nor removes another's taint", async () => {
      const dead = addDeadNode();
      const theirs = { ...TAINT, value: 'nodeshutdown' };
      beforeWrite(() => cluster.sim.store.patch('Node', 'node-a', { spec: { taints: [theirs] } }));
      expect(await cluster.settled(actions.addOutOfServiceTaint(dead, signal))).toBe('unchanged');
      expect(await actions.removeOutOfServiceTaint(dead, signal)).toBe('unchanged');
      expect(node()?.spec?.taints).toEqual([theirs]);
      expect(node()?.metadata.annotations?.[NOTE]).toBeUndefined();
    });
  });

  it("reads a kubelet's Lease", async () => {
    addDeadNode();
    const renewTime = cluster.sim.store.get('Lease', 'node-a', 'kube-node-lease')?.spec?.renewTime;
    expect(await actions.getNodeLeaseRenewTime('node-a', signal)).toBe(renewTime);
    expect(await actions.getNodeLeaseRenewTime('node-b', signal)).toBeUndefined();
  });

  it('says gone for a Node that does not exist, and present for one that does', async () => {
    expect(await actions.getNode('node-a', signal)).toEqual({ kind: 'gone' });
    const fact = addDeadNode();
    expect(await actions.getNode('node-a', signal)).toEqual({ kind: 'present', node: fact });
  });
});

function projected<T>(fact: T | undefined): T {
  if (fact === undefined) throw new Error('the object has no projection');
  return fact;
}
