/** A fence is watched for as long as it exists. @see design section 5 */
import { describe, expect, it } from 'vitest';
import { nodeFact } from '../../src/testing/fact-builders.ts';
import { FakeFenceRecords } from '../../src/testing/fake-fence-records.ts';
import { PassFixture } from '../pass-fixture.ts';

/** A node that was fenced and released, and whose fence the passes have read. */
async function released(): Promise<PassFixture> {
  const f = new PassFixture();
  await f.run();
  f.cluster.removeVolumeAttachment('va-pv-a-node-a');
  f.cluster.removePod('default', 'pod-a');
  await f.run();
  return f;
}

describe('a fence that another party removed', () => {
  it('is put back by the next pass, after its node was released', async () => {
    const f = await released();
    f.backend.fences.clear();
    await f.clock.advance(10_000);
    await f.run('deadline');
    expect(f.effects).toContain('fence-restored');
    expect(f.backend.fences.get('fence-0')).toMatchObject({
      bootId: 'boot-of-node-a',
      addresses: ['address-of-node-a'],
    });
  });

  it('is put back though the node is Ready again in the same boot, and its fenced taint stays', async () => {
    const f = await released();
    const taint = { key: 'reattach.srvlab.io/fenced', value: f.policy.attacher, effect: 'NoSchedule' };
    f.setNode(nodeFact({ taints: [taint] }));
    f.backend.fences.clear();
    await f.runFor(2);
    expect(f.backend.fences.size).toBe(1);
    expect(f.writes).not.toContain('removeFencedTaint node-a');
  });

  it('stays away once the node is proved clean', async () => {
    const f = await released();
    f.setNode(nodeFact({ bootId: 'next' }));
    f.backend.fences.clear();
    await f.runFor(3);
    expect([f.backend.fences.size, f.backend.calls]).toEqual([0, []]);
  });

  it('is made again when the backend no longer acts on it, because its drop rule was removed or bypassed', async () => {
    const f = await released();
    f.backend.enforcement = { kind: 'not-enforced', detail: 'there is no drop rule' };
    f.backend.calls.length = 0;
    await f.clock.advance(10_000);
    await f.run('deadline');
    expect(f.effects).toContain('fence-restored');
    expect(f.backend.calls).toContainEqual(expect.objectContaining({ kind: 'fence' }));
  });

  it('is tried again when it cannot be put back, and said each time', async () => {
    const f = await released();
    f.backend.fences.clear();
    f.backend.beforeChange = () => {
      throw new Error('refused');
    };
    await f.run();
    expect(f.effects).toContain('restore-failed');
    f.backend.beforeChange = () => undefined;
    await f.clock.advance(10_000);
    await f.run('deadline');
    expect(f.backend.fences.size).toBe(1);
  });

  it('is not put back by a replica that does not lead any more', async () => {
    const f = await released();
    f.backend.fences.clear();
    f.assertHeld = () => {
      throw new Error('not the leader');
    };
    await f.run();
    expect(f.backend.calls).toEqual([]);
  });
});

describe('a fence that we removed', () => {
  it('is not put back', async () => {
    const f = await released();
    f.setNode(nodeFact({ bootId: 'next' }));
    await f.runFor(4);
    expect(f.backend.calls.map(({ kind }) => kind)).toEqual(['unfence']);
  });
});

/** A world whose fences are recorded outside the process, in which a pass fenced and released `node-a`. */
async function recorded() {
  const fenceRecords = new FakeFenceRecords();
  const f = PassFixture.unfenced({}, { fenceRecords });
  await f.run('startup');
  await f.clock.advance(30_000);
  f.cluster.removeVolumeAttachment('va-pv-a-node-a');
  f.cluster.removePod('default', 'pod-a');
  await f.runFor(2);
  return { f, fenceRecords, ids: () => [...f.backend.fences.keys()] };
}

describe('the record of a fence', () => {
  it('is written before the backend is changed, and nothing is fenced without it', async () => {
    const fenceRecords = new FakeFenceRecords();
    const f = PassFixture.unfenced({}, { fenceRecords });
    fenceRecords.before = (call) => {
      if (call === 'write') throw new Error('the API server refused');
    };
    await f.runFor(3);
    expect([f.backend.fences.size, f.effects.every((kind) => kind === 'failed')]).toEqual([0, true]);
    fenceRecords.before = () => undefined;
    await f.runFor(3);
    expect([...fenceRecords.records.values()].map(({ record }) => record.id)).toEqual([
      ...f.backend.fences.keys(),
    ]);
  });

  it('has the fence put back by the next process, which never saw it', async () => {
    const { f, ids } = await recorded();
    const before = ids();
    expect(before).toHaveLength(1);
    f.backend.fences.clear(); // while no controller runs
    f.restart();
    await f.run('startup');
    await f.runFor(2);
    expect(ids()).toEqual(before);
  });

  it('goes before the fence is lifted, so that no later process puts it back', async () => {
    const { f, fenceRecords, ids } = await recorded();
    f.setNode(nodeFact({ bootId: 'next' }));
    await f.runFor(3);
    expect([ids(), fenceRecords.records.size]).toEqual([[], 0]);
    f.restart();
    f.setNode(f.lost);
    await f.run('startup');
    expect(ids()).toEqual([]);
  });

  it('stays while the fence cannot be lifted for want of it', async () => {
    const { f, fenceRecords, ids } = await recorded();
    fenceRecords.before = (call) => {
      if (call === 'remove') throw new Error('the API server refused');
    };
    f.setNode(nodeFact({ bootId: 'next' }));
    await f.runFor(3);
    expect([ids().length, fenceRecords.records.size]).toEqual([1, 1]);
  });

  it('that an operator removed with its fence has nothing put back, also by the process that had made it', async () => {
    const { f, fenceRecords, ids } = await recorded();
    fenceRecords.records.clear();
    f.backend.fences.clear();
    await f.clock.advance(10_000);
    await f.runFor(3);
    expect([ids(), f.effects.includes('fence-restored')]).toEqual([[], false]);
  });

  it('is made for a fence that has none yet', async () => {
    const fenceRecords = new FakeFenceRecords();
    const f = new PassFixture({}, { fenceRecords });
    await f.run('startup');
    expect([...fenceRecords.records.keys()]).toEqual(['backend-a/fence-0']);
  });

  it('that cannot be written leaves the fence watched, and is written later', async () => {
    const fenceRecords = new FakeFenceRecords();
    const f = new PassFixture({}, { fenceRecords });
    fenceRecords.before = (call) => {
      if (call === 'write') throw new Error('the API server refused');
    };
    await f.run('startup');
    f.backend.fences.clear();
    await f.clock.advance(10_000);
    await f.runFor(2);
    expect(f.backend.fences.size).toBe(1);
    fenceRecords.before = () => undefined;
    await f.clock.advance(10_000);
    await f.runFor(2);
    expect(fenceRecords.records.size).toBe(1);
  });

  it('is written again when its fence could not be lifted, so that the fence stays watched', async () => {
    const { f, fenceRecords, ids } = await recorded();
    f.backend.beforeChange = () => {
      throw new Error('refused');
    };
    f.setNode(nodeFact({ bootId: 'next' }));
    await f.runFor(2);
    expect(f.effects).toContain('cleanup-failed');
    f.backend.beforeChange = () => undefined;
    f.setNode(f.lost);
    await f.clock.advance(10_000);
    await f.runFor(2);
    expect(fenceRecords.records.size).toBe(1);
    f.backend.fences.clear();
    await f.clock.advance(10_000);
    await f.runFor(2);
    expect(ids()).toHaveLength(1);
  });
});
