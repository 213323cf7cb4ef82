/** Ways to two writers that took one thing for another. @see design section 4 */
import { describe, expect, it } from 'vitest';
import { EMPTY_QUERY } from '../../src/model/storage-query.ts';
import {
  nodeFact,
  persistentVolumeFact,
  podFact,
  volumeAttachmentFact,
} from '../../src/testing/fact-builders.ts';
import { PassFixture } from '../pass-fixture.ts';

const kinds = (f: PassFixture) => f.backend.calls.map(({ kind }) => kind);

describe('a fence', () => {
  it('names the boot of the live Node, not that of the cache, and is made once', async () => {
    const f = PassFixture.unfenced();
    f.backend.setLive('node-a');
    f.actions.setNode({ ...f.lost, bootId: 'second-boot' });
    await f.runFor(3);
    expect(f.backend.calls).toMatchObject([{ kind: 'fence', fence: { bootId: 'second-boot' } }]);
    f.setNode(nodeFact({ bootId: 'second-boot' }));
    await f.runFor(3);
    expect(kinds(f)).toEqual(['fence']);
  });

  it('records cluster, owner, Node, machine, boot and addresses', async () => {
    const f = PassFixture.unfenced({}, { clusterId: () => 'cluster-1' });
    f.setNode({ ...f.lost, machineId: 'machine-1' });
    await f.run();
    expect(f.backend.calls).toMatchObject([
      {
        fence: {
          id: 'fence-1',
          clusterId: 'cluster-1',
          owner: f.policy.attacher,
          nodeName: 'node-a',
          nodeUid: 'uid-of-node-a',
          machineId: 'machine-1',
          bootId: 'boot-of-node-a',
          fencedAtMs: f.clock.now(),
        },
      },
    ]);
  });

  it('of an earlier loss that an operator declared clean is renewed under a new id', async () => {
    const f = new PassFixture();
    f.setNode({ ...f.lost, cleanFenceId: 'fence-0' });
    f.backend.setLive('node-a');
    await f.runFor(2);
    expect(f.backend.calls).toMatchObject([{ kind: 'fence', fence: { id: 'fence-1' } }]);
    expect(f.writes).toEqual([]);
    f.setNode(nodeFact({ cleanFenceId: 'fence-0' }));
    await f.runFor(2);
    expect(f.backend.fences.has('fence-1')).toBe(true);
  });

  it('of another cluster or controller is neither lifted nor taken for ours', async () => {
    const f = PassFixture.unfenced({}, { clusterId: () => 'cluster-1' });
    const theirs = {
      nodeName: 'node-a',
      nodeUid: 'uid-of-node-a',
      bootId: 'earlier',
      addresses: ['address-of-node-a'],
    };
    f.backend.fences.set('x', { ...theirs, id: 'x', clusterId: 'cluster-2', fencedAtMs: 0, seenSinceMs: 0 });
    f.backend.fences.set('y', { ...theirs, id: 'y', owner: 'other.example', fencedAtMs: 0, seenSinceMs: 0 });
    await f.run();
    expect(kinds(f)).toEqual(['fence']);
    f.setNode(nodeFact({ bootId: 'next' }));
    f.cluster.removeVolumeAttachment('va-pv-a-node-a');
    await f.runFor(3);
    expect([...f.backend.fences.keys()]).toEqual(['x', 'y']);
  });

  it('stays when another machine joins under the name of the fenced one', async () => {
    const f = new PassFixture();
    f.cluster.removeVolumeAttachment('va-pv-a-node-a');
    await f.backend.observe(EMPTY_QUERY, f.abort.signal);
    f.setNode(nodeFact({ uid: 'uid-2', bootId: 'boot-2', storageAddresses: ['10.0.0.99'] }));
    await f.runFor(3);
    expect(kinds(f)).toEqual([]);
  });

  it('that a leader removes after a pause is not the one that the release of its successor rests on', async () => {
    const f = new PassFixture();
    const fence = f.backend.fences.get('fence-0');
    if (fence) f.backend.fences.set('fence-0', { ...fence, bootId: 'earlier-boot' });
    const resumed = Promise.withResolvers<void>();
    f.backend.beforeChange = ({ kind }) => (kind === 'unfence' ? resumed.promise : undefined);
    await f.backend.observe(EMPTY_QUERY, f.abort.signal);
    f.setNode(nodeFact());
    const one = f.run();
    await f.clock.advance(1_000);
    await one;
    f.restart(); // another leads, and the node is lost again
    f.setNode({ ...f.lost, readyObservedAtMs: f.clock.now() });
    f.backend.setSilent('node-a', f.clock.now() + 15_000, f.clock.now());
    await f.run('startup');
    await f.clock.advance(60_000);
    await f.runFor(3);
    expect(f.writes).toContain('removeVolumesInUse node-a');
    resumed.resolve();
    await f.clock.advance(1_000);
    expect(f.backend.fences.size).toBe(1);
  });
});

/** `pod-a` uses a volume of another driver, too. */
const sibling = (f: PassFixture) => {
  f.cluster.setPersistentVolume(persistentVolumeFact({ name: 'pv-other', driver: 'rbd.csi.ceph.com' }));
  f.cluster.setVolumeAttachment(
    volumeAttachmentFact({ persistentVolumeName: 'pv-other', attacher: 'rbd.csi.ceph.com' }),
  );
  f.cluster.setPod(podFact({ claimNames: ['claim-of-pv-a', 'claim-of-pv-other'] }));
};

describe('a pod that also uses a volume of another driver', () => {
  it('is held: only our volume is fenced', async () => {
    const f = new PassFixture();
    sibling(f);
    await f.runFor(2);
    expect([f.writes, f.effects]).toEqual([[], ['postponed']]);
  });

  it('is held, too, where its spec names the other storage directly', async () => {
    const f = new PassFixture();
    f.cluster.setPod(podFact({ directVolumes: ['lun (iscsi)'] }));
    await f.runFor(2);
    expect([f.writes, f.effects]).toEqual([[], ['postponed']]);
  });

  it('is deleted where the operator opted in', async () => {
    const f = new PassFixture({ otherDrivers: 'release-pods' });
    sibling(f);
    await f.run();
    expect(f.writes).toContain('forceDeletePod pod-a');
  });
});

describe('a reading', () => {
  it('is as old as its request when the decision is made', async () => {
    const f = new PassFixture();
    const observe = f.backend.observe.bind(f.backend);
    f.backend.observe = async (query, signal) => {
      const reading = await observe(query, signal);
      await new Promise<void>((resolve) => void f.clock.after(9_500, resolve));
      return reading;
    };
    const run = f.run();
    await f.clock.advance(12_000);
    await run;
    await f.clock.advance(1_000);
    expect(f.writes).toEqual([]);
  });

  it('allows no write once it is 5 s old, though the release has begun', async () => {
    const f = new PassFixture();
    f.actions.before = async ({ kind }) => {
      if (kind === 'forceDeletePod')
        await new Promise<void>((resolve) => void f.clock.after(20_000, resolve));
    };
    const first = f.run();
    await f.clock.advance(1_000);
    await first;
    f.backend.before = () => new Promise<void>((resolve) => void f.clock.after(60_000, resolve));
    const second = f.run('node-not-ready');
    await f.clock.advance(1_000);
    await second;
    await f.clock.advance(30_000);
    expect(f.writes).toEqual(['forceDeletePod pod-a']);
  });
});

describe('a live migration', () => {
  it('whose source is lost does not hold the volume for more than 5 minutes', async () => {
    const f = PassFixture.unfenced();
    f.backend.setLive('node-a'); // nothing proves that it is cut off
    f.cluster.setClaimMigrating('default', 'claim-of-pv-a');
    await f.run();
    expect(f.report.decisions[0]?.verdict.kind).toBe('wait');
    await f.clock.advance(300_000);
    await f.run();
    expect(f.effects).toEqual(['fenced']);
  });
});

describe('a VolumeAttachment that names an unknown Node', () => {
  it('holds no other release, however many there are', async () => {
    const f = new PassFixture();
    for (let index = 0; index < 10; index++) {
      f.cluster.setVolumeAttachment(
        volumeAttachmentFact({ persistentVolumeName: `pv-x${index}`, nodeName: `invented-${index}` }),
      );
    }
    await f.run();
    expect(f.writes).toEqual(['forceDeletePod pod-a', 'removeVolumesInUse node-a']);
  });
});

describe('the loss of a node', () => {
  it('is dated by what we observed, whatever the clock says that wrote lastTransitionTime', async () => {
    const f = PassFixture.unfenced();
    const { readyObservedAtMs: _, ...unobserved } = f.lost;
    f.backend.setLive('node-a');
    for (const offsetMs of [-3_600_000, 3_600_000]) {
      f.restart();
      f.setNode({ ...unobserved, readyChangedAtMs: f.clock.now() + offsetMs });
      await f.run();
      expect(f.report.decisions[0]?.verdict).toMatchObject({ kind: 'wait', untilMs: f.clock.now() + 30_000 });
    }
  });
});
