import type { NodeTaint } from '@reattach/kube-sim';
import { describe, expect, it } from 'vitest';
import { backendWrites, clusterWrites } from './support/effects.ts';
import { Lab } from './support/lab.ts';

const LOST = 'node-a';
const SIX = ['node-a', 'node-b', 'node-c', 'node-d', 'node-e', 'node-f'];

/** Long enough for a whole fail-over, ms of cluster time. */
const QUIET_MS = 6_000;

/** A volume of its own beside those of the StatefulSet. */
function addVolume({ world }: Lab, name: string, accessModes: readonly string[]): void {
  const { kube, rds, driver, backendAddress } = world;
  const nqn = `nqn.2026-01.example.test:${name}`;
  rds.device.addVolume({ slot: name, nqn, sizeBytes: 2 ** 30 });
  const attributes = { nqn, nvmeAddress: backendAddress, nvmePort: '4420' };
  kube.addVolume({ name, claim: `claim-${name}`, handle: name, driver, accessModes, attributes });
}

describe('a volume on two nodes', () => {
  it('does not hold up a node that the backend proves silent, leaves it and stays on the other', async () => {
    await using lab = await Lab.start();
    const { kube } = lab.world;
    addVolume(lab, 'pvc-shared', ['ReadWriteMany']);
    for (const nodeName of [LOST, 'node-b']) kube.addAttachment({ persistentVolume: 'pvc-shared', nodeName });
    const controller = await lab.ready({ strategy: 'delete' });
    lab.world.powerOff(LOST);
    await lab.until('all to be released', () => lab.world.attachedTo(LOST).length === 0);
    expect(lab.world.attachedTo('node-b')).toContain('pvc-shared');
    expect(controller.logged('Released stale attachment', { persistentVolume: 'pvc-shared' })).toHaveLength(
      1,
    );
  });
});

describe('a disk of a virtual machine', () => {
  it('waits while KubeVirt migrates it, and is released when that is over', async () => {
    await using lab = await Lab.start({ kubevirt: true });
    const { kube } = lab.world;
    addVolume(lab, 'pvc-vm', ['ReadWriteMany']);
    kube.addPod({
      name: 'virt-launcher-vm',
      nodeName: LOST,
      hostIP: lab.world.node(LOST).address,
      claims: ['claim-pvc-vm'],
      phase: 'Pending',
      owner: { kind: 'VirtualMachineInstance', name: 'vm' },
    });
    kube.store.create({
      kind: 'VirtualMachineInstanceMigration',
      metadata: { name: 'move', namespace: 'default' },
      spec: { vmiName: 'vm' },
    });
    kube.store.patch('VirtualMachineInstanceMigration', 'move', { status: { phase: 'Running' } }, 'default');
    await lab.until('the disk to be attached', () => lab.world.attachedTo(LOST).includes('pvc-vm'));
    const controller = await lab.ready();
    lab.world.powerOff(LOST);
    await lab.runFor(QUIET_MS);
    expect(lab.world.attachedTo(LOST)).toContain('pvc-vm');
    expect(backendWrites(lab.world)).toEqual([]);
    expect(controller.holds('pvc-vm')).toEqual([]);

    kube.store.patch('VirtualMachineInstanceMigration', 'move', { status: { phase: 'Failed' } }, 'default');
    await lab.until('the disk to be released', () => lab.world.attachedTo(LOST).length === 0);
    expect(lab.world.rds.oracle.doubleWrites).toBe(0);
  });
});

describe('several lost nodes', () => {
  it('are held when they are most of the cluster, and the last one is released once the others are back', async () => {
    await using lab = await Lab.start();
    const controller = await lab.ready();
    for (const name of [LOST, 'node-b']) lab.world.powerOff(name);
    await lab.until('four holds', () => controller.logged('Held release').length === 4);
    await lab.runFor(QUIET_MS);
    expect(controller.logged('Held release', { reason: 'mass-failure' })).toHaveLength(4);
    expect(clusterWrites(lab.world)).toEqual([]);
    expect(backendWrites(lab.world)).toEqual([]);

    lab.world.powerOn('node-b');
    await lab.failedOver(LOST);
    expect(clusterWrites(lab.world).filter((write) => write.includes('node-b'))).toEqual([]);
    expect(lab.world.rds.oracle.doubleWrites).toBe(0);
  });

  it.each([0, 1_000])(
    'do not wait for writes for another one, lost %i ms before, that get no answer',
    async (earlierMs) => {
      const undisturbedMs = await releaseTime(earlierMs, false);
      expect(await releaseTime(earlierMs, true)).toBeLessThanOrEqual(undisturbedMs + TOLERANCE_MS);
    },
  );
});

/** What requests in flight at other moments may make of the same course of events, ms of cluster time. */
const TOLERANCE_MS = 300;

/** How long node-b takes to be released, ms of cluster time, while the writes of node-a, lost before, hang or do not. */
async function releaseTime(earlierMs: number, hang: boolean): Promise<number> {
  await using lab = await Lab.start({ nodes: SIX });
  const { kube } = lab.world;
  if (hang) {
    const ofLost = (path: string) => path.includes(`/nodes/${LOST}`) || path.endsWith(`/pods/${podOfLost}`);
    const [podOfLost = ''] = lab.replicasOn(LOST);
    const isWrite = (each: { readonly method: string; readonly path: string; readonly userAgent?: string }) =>
      each.userAgent === 'reattach' && each.method !== 'GET' && ofLost(each.path);
    kube.faults.add(isWrite, { kind: 'hang' }, Number.POSITIVE_INFINITY);
  }
  await lab.ready();
  lab.world.powerOff(LOST);
  await lab.runFor(earlierMs);
  const sinceMs = lab.clock.now();
  lab.world.powerOff('node-b');
  await lab.until('node-b to be released', () => lab.world.attachedTo('node-b').length === 0);
  return lab.clock.now() - sinceMs;
}

describe('a node that another controller recovers', () => {
  it.each<readonly [string, NodeTaint]>([
    ['a person', { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }],
    ['medik8s', { key: 'medik8s.io/remediation', value: 'self-node-remediation', effect: 'NoExecute' }],
  ])('is left to %s', async (_who, taint) => {
    await using lab = await Lab.start();
    const { kube } = lab.world;
    const controller = await lab.ready();
    const attached = lab.world.attachedTo(LOST);
    lab.world.powerOff(LOST);
    kube.store.patch('Node', LOST, { spec: { taints: [taint] } });
    await lab.runFor(QUIET_MS);
    expect(clusterWrites(lab.world)).toEqual([]);
    expect(backendWrites(lab.world)).toEqual([]);
    for (const volume of attached) expect(controller.holds(volume)).toEqual(['other-actor']);
  });
});
