import { attacherFinalizer, type ObjectDraft } from '@reattach/kube-sim';
import { describe, expect, it } from 'vitest';
import { clusterWrites } from './support/effects.ts';
import { Lab } from './support/lab.ts';

const LOST = 'node-a';
const NODES = ['node-a', 'node-b', 'node-c', 'node-d', 'node-e', 'node-f'];

/** A VolumeAttachment of our attacher on the lost node that nothing in the cluster accounts for. */
function oddAttachment(lab: Lab, name: string, source: object): ObjectDraft<'VolumeAttachment'> {
  const { driver } = lab.world;
  return {
    kind: 'VolumeAttachment',
    metadata: { name, finalizers: [attacherFinalizer(driver)] },
    spec: { attacher: driver, nodeName: LOST, source },
    status: { attached: true },
  };
}

describe('a lost node', () => {
  it('keeps what is not known to be ours, says why, and loses the healthy volumes', async () => {
    await using lab = await Lab.start();
    const { kube, driver } = lab.world;
    const healthy = lab.world.attachedTo(LOST);
    const inline = { inlineVolumeSpec: { csi: { driver, volumeHandle: 'pvc-inline' }, accessModes: [] } };
    kube.addVolume({
      name: 'pv-other',
      claim: 'data-other',
      handle: 'other-1',
      driver: 'other.example.test',
    });
    kube.addVolume({
      name: 'pv-elsewhere',
      claim: 'data-elsewhere',
      handle: 'pvc-elsewhere',
      driver,
      attributes: {
        nqn: 'nqn.2026-01.example.test:pvc-elsewhere',
        nvmeAddress: '10.9.9.9',
        nvmePort: '4420',
      },
    });
    const odd = {
      'va-without-volume': { persistentVolumeName: 'pv-nowhere' },
      'va-of-other-driver': { persistentVolumeName: 'pv-other' },
      'va-inline': inline,
      'va-elsewhere': { persistentVolumeName: 'pv-elsewhere' },
    };
    for (const [name, source] of Object.entries(odd)) kube.store.create(oddAttachment(lab, name, source));
    const controller = await lab.ready();
    lab.world.powerOff(LOST);
    await lab.until('the healthy volumes to be released', () =>
      healthy.every((volume) => !lab.world.attachedTo(LOST).includes(volume)),
    );
    await lab.runFor(2_000);

    const held = controller.logged('Held release').map(({ fields }) => fields);
    const whyOf = (name: string) =>
      held
        .filter(({ volumeAttachment }) => volumeAttachment === name)
        .map(({ reason, why }) => [reason, why]);
    expect(whyOf('va-without-volume')).toEqual([
      ['volume-unknown', 'PersistentVolume pv-nowhere is not known'],
    ]);
    expect(whyOf('va-of-other-driver')).toEqual([
      ['volume-unknown', 'PersistentVolume pv-other is of driver other.example.test, not ours'],
    ]);
    expect(whyOf('va-inline')).toEqual([['volume-unknown', 'VolumeAttachment has an inline volume']]);
    expect(whyOf('va-elsewhere')).toEqual([
      ['storage-unknown', 'The volume is at a backend that is not configured (no-such-backend)'],
    ]);
    const others = held.filter(({ volumeAttachment }) => !(String(volumeAttachment) in odd));
    // Before the cadence of the lost node is known, its volumes are held for a moment.
    expect(others.filter(({ reason }) => reason !== 'storage-unknown')).toEqual([]);
    expect(lab.claimEvents('data-other')).toEqual(['ReleaseHeld']);
    expect(lab.claimEvents('data-elsewhere')).toEqual(['ReleaseHeld']);
    for (const volume of healthy)
      expect(lab.claimEvents(lab.claimOf(volume))).toContain('StaleAttachmentReleased');
    for (const name of Object.keys(odd)) {
      expect(kube.store.get('VolumeAttachment', name)?.metadata.deletionTimestamp).toBeUndefined();
    }
    await lab.until('every replica to run elsewhere', () => lab.replicasOn(LOST).length === 0);
    expect(lab.world.rds.oracle.doubleWrites).toBe(0);
  });

  it('without an address is held, and another lost node is released', async () => {
    await using lab = await Lab.start({ nodes: NODES });
    const { kube } = lab.world;
    lab.world.node(LOST).kubelet.stop(); // it would report its addresses again
    kube.store.patch('Node', LOST, { status: { addresses: [{ type: 'Hostname', address: LOST }] } });
    const [volume = ''] = lab.world.attachedTo(LOST);
    const controller = await lab.ready();
    lab.world.powerOff(LOST);
    lab.world.powerOff('node-b');
    await lab.until('node-b to be released', () => lab.world.attachedTo('node-b').length === 0);
    await lab.runFor(2_000);

    expect(
      controller
        .logged('Held release', { node: LOST })
        .map(({ fields }) => [fields['reason'], fields['why']]),
    ).toEqual([['storage-unknown', 'no storage address is known (no-address)']]);
    expect(lab.claimEvents(lab.claimOf(volume))).toEqual(['ReleaseHeld']);
    expect(lab.world.attachedTo(LOST)).toEqual([volume]);
    expect(clusterWrites(lab.world).filter((write) => write.includes(LOST))).toEqual([]);
  });

  it('is released although other objects and events of the watch are not Nodes', async () => {
    await using lab = await Lab.start({ nodes: NODES });
    const { kube } = lab.world;
    const controller = await lab.ready();
    kube.store.create({
      kind: 'Node',
      metadata: { name: 'node-odd', labels: { odd: 'yes' } },
      spec: { taints: [{ effect: 7 }] },
      status: {
        conditions: [42, { status: 'True' }],
        addresses: [42, { type: 'InternalIP', address: 'nonsense' }],
        nodeInfo: [],
        volumesInUse: [],
      },
    });
    const garbage = kube.faults.add(
      { path: '/api/v1/nodes', watch: true },
      { kind: 'watch', effect: 'malformed' },
    );
    kube.faults.dropWatches({ path: '/api/v1/nodes' });
    lab.world.powerOff(LOST);
    await lab.failedOver(LOST);
    expect(garbage.hits).toBe(1);
    expect(controller.logged('Held release')).toEqual([]);
    expect(controller.lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect(clusterWrites(lab.world).filter((write) => write.includes('node-odd'))).toEqual([]);
  });
});
