/** A node that returns: before a release it is let back, in the middle of one the release is finished. @see design section 6 */
import { describe, expect, it } from 'vitest';
import { FENCED_TAINT } from '../../src/model/fenced-taint.ts';
import { EMPTY_QUERY } from '../../src/model/storage-query.ts';
import { nodeFact, podFact, TEST_ATTACHER, volumeAttachmentFact } from '../../src/testing/fact-builders.ts';
import { fenceAt, PassFixture } from '../pass-fixture.ts';

const TAINT = { key: FENCED_TAINT, value: TEST_ATTACHER, effect: 'NoSchedule' };
/** The fakes do not react, so a write may be repeated. */
const writes = (f: PassFixture) => [...new Set(f.writes)];
const kinds = (f: PassFixture) => f.backend.calls.map(({ kind }) => kind);

/** `node-a` was fenced by this process, and is tainted; nothing has left it. */
async function fenced(): Promise<PassFixture> {
  const f = PassFixture.unfenced();
  f.setNode({ ...f.lost, taints: [] });
  f.backend.setLive('node-a'); // so the fence quiesces
  await f.runFor(3);
  expect([kinds(f), writes(f)]).toEqual([['fence'], ['addFencedTaint node-a']]);
  f.actions.calls.length = 0;
  return f;
}

/** The pod is deleted; `pv-a` is still attached. */
async function releasing(): Promise<PassFixture> {
  const f = new PassFixture({ strategy: 'delete' });
  f.actions.before = ({ kind }) => {
    if (kind === 'deleteVolumeAttachment') throw new Error('scripted');
  };
  await f.runFor(2);
  f.cluster.removePod('default', 'pod-a');
  f.actions.before = () => undefined;
  f.actions.calls.length = 0;
  return f;
}

describe('a node that returns before anything left it', () => {
  it('is let back without a boot: fence and taint go', async () => {
    const f = await fenced();
    f.setNode(nodeFact({ taints: [TAINT] }));
    await f.runFor(3);
    expect([kinds(f), writes(f)]).toEqual([['fence', 'unfence'], ['removeFencedTaint node-a']]);
  });

  it.each<[string, (f: PassFixture) => void | Promise<void>]>([
    ['a volume has left it', (f) => f.cluster.removeVolumeAttachment('va-pv-a-node-a')],
    [
      'a volume is leaving it',
      (f) => f.cluster.setVolumeAttachment(volumeAttachmentFact({ deletingSinceMs: 1 })),
    ],
    [
      'its volume was attached again',
      (f) => f.cluster.setVolumeAttachment(volumeAttachmentFact({ uid: 'new' })),
    ],
    [
      'a volume has left it, which the cache does not show',
      (f) => f.actions.setAttached('va-pv-a-node-a', false),
    ],
    ['another process leads', (f) => f.restart()],
    ['another process led meanwhile', async (f) => void (await f.run('startup'))],
    ['its Node is another one', (f) => f.setNode(nodeFact({ uid: 'uid-2', taints: [TAINT] }))],
  ])('stays fenced when %s', async (_title, change) => {
    const f = await fenced();
    f.setNode(nodeFact({ taints: [TAINT] }));
    await change(f);
    await f.runFor(5);
    expect([kinds(f), writes(f)]).toEqual([['fence'], []]);
  });

  it('stays fenced when another machine is there in its place, which gets pods', async () => {
    const f = await fenced();
    f.setNode(nodeFact({ machineId: 'machine-2', bootId: 'boot-2', taints: [TAINT] }));
    await f.runFor(5);
    expect([kinds(f), writes(f)]).toEqual([['fence'], ['removeFencedTaint node-a']]);
  });

  it('stays fenced when this process only completed the fence of an earlier one', async () => {
    const f = PassFixture.unfenced();
    f.setNode({ ...f.lost, storageAddresses: ['address-of-node-a', 'address-2'] });
    fenceAt(f.backend, f.clock.now()); // of one address; behind it another process may have released volumes
    f.backend.setLive('node-a');
    await f.runFor(3);
    expect(kinds(f)).toEqual(['fence']);
    f.setNode(nodeFact({ taints: [TAINT], storageAddresses: ['address-of-node-a', 'address-2'] }));
    await f.runFor(3);
    expect(kinds(f)).toEqual(['fence']);
  });

  it('is let back in no boot that nothing is known of', async () => {
    const f = await fenced();
    const { bootId: _, ...unknown } = nodeFact({ taints: [TAINT] });
    f.setNode(unknown);
    await f.runFor(3);
    expect(kinds(f)).toEqual(['fence']);
  });
});

describe('a node that returns while its volumes are released', () => {
  it('has the release finished behind its fence, and stays tainted', async () => {
    const f = await releasing();
    f.setNode(nodeFact({ taints: [TAINT] }));
    await f.runFor(1);
    expect(writes(f)).toEqual(['deleteVolumeAttachment va-pv-a-node-a']);
    f.cluster.removeVolumeAttachment('va-pv-a-node-a');
    await f.runFor(3);
    expect([kinds(f), writes(f)]).toEqual([[], ['deleteVolumeAttachment va-pv-a-node-a']]);
  });

  it('is tainted where it is not yet', async () => {
    const f = await releasing();
    f.setNode(nodeFact());
    await f.runFor(1);
    expect(writes(f)).toContain('addFencedTaint node-a');
  });

  it('is let back once it has booted', async () => {
    const f = await releasing();
    f.setNode(nodeFact({ bootId: 'next', taints: [TAINT] }));
    await f.runFor(3);
    expect([kinds(f), writes(f)]).toEqual([['unfence'], ['removeFencedTaint node-a']]);
  });
});

describe('the fenced taint', () => {
  it('is put on every node that is fenced, lost or Ready', async () => {
    for (const ready of [false, true]) {
      const f = new PassFixture();
      f.cluster.removeVolumeAttachment('va-pv-a-node-a');
      f.cluster.removePod('default', 'pod-a');
      f.setNode({ ...f.lost, ready, taints: [] });
      await f.backend.observe(EMPTY_QUERY, f.abort.signal);
      await f.run('startup');
      await f.runFor(2);
      expect(new Set(writes(f))).toEqual(new Set(['addFencedTaint node-a']));
    }
  });

  it('is put on a Node that the fenced machine registers under another name or uid', async () => {
    const f = new PassFixture();
    const fence = f.backend.fences.get('fence-0');
    if (fence) f.backend.fences.set('fence-0', { ...fence, machineId: 'machine-a' });
    f.setNode({ ...f.lost, machineId: 'machine-a' });
    f.setNode(nodeFact({ name: 'node-x', machineId: 'machine-a', bootId: 'boot-of-node-a' }));
    f.setNode(nodeFact({ name: 'node-b', machineId: 'machine-b' }));
    f.cluster.setPod(podFact({ name: 'pod-b', nodeName: 'node-b', claimNames: [] }));
    await f.runFor(2);
    const tainted = f.writes.filter((write) => write.startsWith('addFencedTaint'));
    expect(new Set(tainted)).toEqual(new Set(['addFencedTaint node-x']));
  });

  it('is not put on another machine that has the name of the fenced one', async () => {
    const f = new PassFixture();
    const fence = f.backend.fences.get('fence-0');
    if (fence) f.backend.fences.set('fence-0', { ...fence, machineId: 'machine-a' });
    f.cluster.removeVolumeAttachment('va-pv-a-node-a');
    f.setNode(nodeFact({ machineId: 'machine-2', uid: 'uid-2', bootId: 'boot-2' }));
    await f.backend.observe(EMPTY_QUERY, f.abort.signal);
    await f.run('startup');
    await f.runFor(2);
    expect(writes(f)).toEqual([]);
  });

  it('goes from a machine that has booted at another address, though the fence of the old one stays', async () => {
    const f = new PassFixture();
    f.cluster.removeVolumeAttachment('va-pv-a-node-a');
    f.setNode(nodeFact({ bootId: 'next', storageAddresses: ['10.0.0.99'], taints: [TAINT] }));
    await f.backend.observe(EMPTY_QUERY, f.abort.signal);
    await f.run('startup');
    await f.runFor(2);
    expect([kinds(f), writes(f)]).toEqual([[], ['removeFencedTaint node-a']]);
  });

  it('is neither put for, nor kept by, the fence of another cluster', async () => {
    const f = new PassFixture({}, { clusterId: () => 'cluster-1' });
    const fence = f.backend.fences.get('fence-0');
    if (fence) f.backend.fences.set('fence-0', { ...fence, clusterId: 'cluster-2' });
    f.cluster.removeVolumeAttachment('va-pv-a-node-a');
    f.setNode(nodeFact());
    await f.backend.observe(EMPTY_QUERY, f.abort.signal);
    await f.run('startup');
    await f.runFor(2);
    expect(writes(f)).toEqual([]);
    f.setNode(nodeFact({ taints: [TAINT] }));
    await f.runFor(2);
    expect(new Set(writes(f))).toEqual(new Set(['removeFencedTaint node-a']));
  });
});
