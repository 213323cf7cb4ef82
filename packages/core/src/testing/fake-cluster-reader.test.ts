import { describe, expect, it } from 'vitest';
import { nodeFact, persistentVolumeFact, podFact, volumeAttachmentFact } from './fact-builders.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeClusterReader } from './fake-cluster-reader.ts';

function setUp() {
  const clock = new FakeClock();
  return { clock, cluster: new FakeClusterReader(clock) };
}

describe('FakeClusterReader', () => {
  it('is synced and fresh as of now, unless set otherwise', async () => {
    const { clock, cluster } = setUp();
    expect(cluster.freshness()).toMatchObject({ synced: true, freshAsOfMs: clock.now() });
    await clock.advance(5_000);
    cluster.staleMs = 1_000;
    expect(cluster.freshness()).toMatchObject({ synced: true, freshAsOfMs: clock.now() - 1_000 });
    cluster.synced = false;
    expect(cluster.freshness()).toEqual({ synced: false, freshAsOfMs: 0, detail: 'not synced' });
  });

  it('remembers a Node that was removed, until it is set again', () => {
    const { cluster } = setUp();
    const node = nodeFact();
    cluster.setNode(node);
    expect([cluster.node('node-a'), [...cluster.nodes()], cluster.lastSeenNode('node-a')]).toEqual([
      node,
      [node],
      undefined,
    ]);
    cluster.removeNode('node-a');
    expect([cluster.node('node-a'), [...cluster.nodes()], cluster.lastSeenNode('node-a')]).toEqual([
      undefined,
      [],
      node,
    ]);
    cluster.setNode(node);
    expect(cluster.lastSeenNode('node-a')).toBeUndefined();
  });

  it('remembers no Node that was removed as forgotten, or was never there', () => {
    const { cluster } = setUp();
    cluster.setNode(nodeFact());
    cluster.removeNode('node-a', { forgotten: true });
    cluster.removeNode('node-b');
    expect([cluster.lastSeenNode('node-a'), cluster.lastSeenNode('node-b')]).toEqual([undefined, undefined]);
  });

  it('holds VolumeAttachments and PersistentVolumes by name', () => {
    const { cluster } = setUp();
    const attachment = volumeAttachmentFact();
    const volume = persistentVolumeFact();
    cluster.setVolumeAttachment({ ...attachment, attached: false });
    cluster.setVolumeAttachment(attachment);
    cluster.setPersistentVolume(volume);
    expect([...cluster.volumeAttachments()]).toEqual([attachment]);
    expect(cluster.persistentVolume('pv-a')).toBe(volume);
    cluster.removeVolumeAttachment(attachment.name);
    cluster.removePersistentVolume('pv-a');
    expect([[...cluster.volumeAttachments()], cluster.persistentVolume('pv-a')]).toEqual([[], undefined]);
  });

  it('finds Pods by node, and tells namespaces apart', () => {
    const { cluster } = setUp();
    const pod = podFact();
    const other = podFact({ namespace: 'other' });
    cluster.setPod(pod);
    cluster.setPod(other);
    cluster.setPod(podFact({ name: 'pod-b', nodeName: 'node-b' }));
    expect([...cluster.podsOnNode('node-a')]).toEqual([pod, other]);
    cluster.removePod('default', 'pod-a');
    expect([...cluster.podsOnNode('node-a')]).toEqual([other]);
  });

  it('knows the claims that KubeVirt migrates', () => {
    const { cluster } = setUp();
    cluster.setClaimMigrating('default', 'claim-a');
    expect(cluster.isClaimMigrating('default', 'claim-a')).toBe(true);
    expect(cluster.isClaimMigrating('other', 'claim-a')).toBe(false);
    cluster.setClaimMigrating('default', 'claim-a', false);
    expect(cluster.isClaimMigrating('default', 'claim-a')).toBe(false);
  });

  it('knows no Leases, and no time for them, until one is set', () => {
    const { cluster, clock } = setUp();
    expect([cluster.nodeLease('node-a'), cluster.leasesFreshAsOfMs()]).toEqual([undefined, undefined]);
    const lease = { nodeName: 'node-a', uid: 'uid-of-lease', observedAtMs: clock.now() };
    cluster.setNodeLease(lease);
    cluster.staleMs = 1_000;
    expect([cluster.nodeLease('node-a'), cluster.leasesFreshAsOfMs()]).toEqual([lease, clock.now() - 1_000]);
  });
});
