import { setTimeout as sleep } from 'node:timers/promises';
import { apiPaths } from '@reattach/k8s-api';
import { attacherFinalizer, type NodeObject } from '@reattach/kube-sim';
import { until } from '@reattach/sim-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MirrorChange } from './support/cluster-mirror.ts';
import { assets, DRIVER, E2eCluster } from './support/e2e-cluster.ts';
import { Stage, type StageNode, TIMES } from './support/stage.ts';

/** From the moment grace and evidence allow it to the write, ms. */
const GOAL_MS = 2_000;
/** Longest time until a node that died is proved silent for long enough, ms. */
const EVIDENCE_MS = TIMES.activityWindowMs + TIMES.silentGraceMs;
const FOREIGN = 'other.csi.example.test';

/** A host that was heard for less than an activity window (2 s) must be silent for nine of them, because its cadence is not known. */
const WARM_UP_MS = 5_000;

describe.skipIf(assets === undefined)('release on a real cluster', () => {
  let cluster: E2eCluster;
  beforeAll(async () => {
    cluster = await E2eCluster.start();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  it('deletes the VolumeAttachments of a deleted Node, ours and no others, as soon as grace and evidence allow', async () => {
    await using stage = await Stage.start(cluster, { name: 'gone' });
    const controller = stage.controller('--mode=fence');
    const readyMs = await controller.ready();
    console.log(
      `Ready ${readyMs} ms after its start, ${controller.residentMb()} MB resident, from source without a bundle`,
    );
    const dead = stage.node('a');
    await createForeignAttachment(cluster, dead);
    const uid = onlyAttachmentUid(stage, dead);

    await sleep(WARM_UP_MS);
    await stage.powerOff(dead);
    await cluster.kube.remove(apiPaths.node(dead.name));
    const gone = await stage.change('the Node to go', 5_000, isNodeDeleted(dead));
    const deleted = await stage.change('its VolumeAttachment to be deleted', 20_000, isBeingDeleted(uid));

    const afterMs = deleted.atMs - gone.atMs;
    console.log(
      `Node deleted: VolumeAttachment deleted ${afterMs} ms later, allowed from ${EVIDENCE_MS} ms on at the latest`,
    );
    expect(afterMs).toBeLessThan(EVIDENCE_MS + GOAL_MS);
    await stage.untilSettled(dead);
    const foreign = cluster.mirror.get('VolumeAttachment', 'foreign');
    expect(foreign?.spec?.nodeName).toBe(dead.name);
    expect(foreign?.metadata.deletionTimestamp).toBeUndefined();
    expect(stage.rds.oracle.doubleWrites).toBe(0);
    expect(controller.logged('Released stale attachment')).toMatchObject([
      { node: dead.name, strategy: 'delete' },
    ]);
    await until(
      'an Event',
      5_000,
      async () => (await stage.claimEvents('StaleAttachmentReleased')).length === 1,
    );
  });

  it('deletes the VolumeAttachments of a Node that goes NotReady, ours and no others', async () => {
    await using stage = await Stage.start(cluster, { name: 'unready' });
    const controller = stage.controller('--mode=fence', '--strategy=delete');
    await controller.ready();
    const dead = stage.node('b');
    const uid = onlyAttachmentUid(stage, dead);

    await stage.powerOff(dead);
    const lost = await stage.change('the Node to be NotReady', 30_000, isNodeNotReady(dead));
    const deleted = await stage.change('its VolumeAttachment to be deleted', 20_000, isBeingDeleted(uid));

    // The node died before Kubernetes noticed, so that the backend has proved its silence already.
    const afterMs = deleted.atMs - lost.atMs;
    console.log(
      `Node NotReady: VolumeAttachment deleted ${afterMs} ms later, allowed from ${TIMES.silentGraceMs} ms on`,
    );
    expect(afterMs).toBeLessThan(TIMES.silentGraceMs + GOAL_MS);
    await stage.untilSettled(dead);
    expect(stage.rds.oracle.doubleWrites).toBe(0);
    await until(
      'an Event',
      5_000,
      async () => (await stage.claimEvents('StaleAttachmentReleased')).length === 1,
    );
  });

  it('fences a NotReady node that still writes before it releases anything', async () => {
    await using stage = await Stage.start(cluster, { name: 'live' });
    const controller = stage.controller('--mode=fence');
    await controller.ready();
    const node = stage.node('a');

    await node.kubelet.stop(); // only the kubelet: the workload writes on
    await stage.untilNotReady(node);
    await stage.untilSettled(node);

    expect(controller.logged('Released stale attachment', { node: node.name })).toHaveLength(1);
    expect(stage.rds.device.addressList.entries).not.toEqual([]);
    expect(stage.rds.oracle.doubleWrites).toBe(0);
  });

  it('leaves a detach that external-attacher does not finish to it, and an Event on the PVC says so', async () => {
    await using stage = await Stage.start(cluster, { name: 'stuck' });
    const controller = stage.controller('--mode=fence', '--detach-timeout-ms=1000');
    await controller.ready();
    const dead = stage.node('a');
    const uid = onlyAttachmentUid(stage, dead);

    cluster.attacher.stuck = true;
    try {
      await stage.powerOff(dead);
      await cluster.kube.remove(apiPaths.node(dead.name));
      await stage.change('its VolumeAttachment to be deleted', 20_000, isBeingDeleted(uid));
      await until('the hold', 300_000, () => controller.logged('Held release').length > 0);
      expect(controller.logged('Held release')).toMatchObject([{ reason: 'attacher-stuck' }]);
      expect(stage.attachmentsOn(dead)[0]?.metadata.finalizers).toEqual([attacherFinalizer(DRIVER)]);
      await until('the Event', 5_000, async () => (await stage.claimEvents('ReleaseHeld')).length > 0);
      expect((await stage.claimEvents('ReleaseHeld'))[0]).toContain('attacher-stuck');
    } finally {
      cluster.attacher.stuck = false;
    }
    await stage.untilSettled(dead);
  });

  describe('with early detection', () => {
    const flags = [
      '--mode=fence',
      '--early-detection=true',
      '--lease-stale-ms=2000',
      '--rds-activity-window-ms=2000',
    ] as const;

    it('releases a node before Kubernetes says NotReady', async () => {
      await using stage = await Stage.start(cluster, { name: 'early' });
      await stage.controller(...flags).ready();
      const dead = stage.node('a');
      const diedAtMs = Date.now();
      await stage.powerOff(dead);
      const [pod = ''] = stage.podsOn(dead);
      const deleted = await stage.change('its pod to be deleted', 20_000, isPodDeleted(pod), diedAtMs);
      expect(stage.notReadySinceMs(dead)).toBeUndefined();
      console.log(
        `Early detection: released ${deleted.atMs - diedAtMs} ms after the power went, while the Node was still Ready`,
      );
      await stage.untilSettled(dead);
      expect(stage.rds.oracle.doubleWrites).toBe(0);
    });

    it('does not get a pod it released back', async () => {
      await using stage = await Stage.start(cluster, { name: 'bounce' });
      const controller = stage.controller(...flags);
      await controller.ready();
      const dead = stage.node('a');
      await stage.powerOff(dead);
      await stage.untilSettled(dead);
      const deletions = controller.logged('Deleted pod').length;
      console.log(`Early detection: the pod was deleted ${deletions} times before it left the dead node`);
      expect(deletions).toBe(1);
    });
  });

  it('changes nothing while the backend cannot be reached, and once it can, releases what an operator confirms', async () => {
    await using stage = await Stage.start(cluster, { name: 'backenddown' });
    const controller = stage.controller('--mode=fence', '--strategy=delete');
    await controller.ready();
    const dead = stage.node('c');
    const before = stage.attachmentsOn(dead);

    await stage.rds.faults.down();
    await stage.powerOff(dead);
    await stage.untilNotReady(dead);
    await sleep(TIMES.gracePeriodMs + GOAL_MS);

    expect(controller.logged('Held release', { node: dead.name })).toMatchObject([
      { reason: 'storage-unknown' },
    ]);
    expect(stage.attachmentsOn(dead).map(({ metadata }) => metadata.resourceVersion)).toEqual(
      before.map(({ metadata }) => metadata.resourceVersion),
    );
    expect(stage.podsOn(dead)).toHaveLength(1);
    expect((await stage.claimEvents('ReleaseHeld'))[0]).toContain('storage-unknown');

    await stage.rds.faults.up();
    // No controller saw its queues close, so nothing proves that its accepted writes have ended.
    expect(await stage.untilSettledOrConfirmed(dead, controller)).toBe(true);
    expect(stage.rds.oracle.doubleWrites).toBe(0);
  });
});

function onlyAttachmentUid(stage: Stage, node: StageNode): string {
  const [attachment, ...more] = stage.attachmentsOn(node);
  expect(more).toEqual([]);
  return attachment?.metadata.uid ?? '';
}

function isNodeDeleted({ name }: StageNode) {
  return ({ type, kind, object }: MirrorChange): boolean =>
    type === 'DELETED' && kind === 'Node' && object.metadata.name === name;
}

function isNodeNotReady({ name }: StageNode) {
  return ({ kind, object }: MirrorChange): boolean =>
    kind === 'Node' && object.metadata.name === name && readyStatus(object) === 'Unknown';
}

function readyStatus(node: MirrorChange['object']): string | undefined {
  const { conditions = [] } = (node as NodeObject).status ?? {};
  return conditions.find(({ type }) => type === 'Ready')?.status;
}

function isPodDeleted(name: string) {
  return ({ type, kind, object }: MirrorChange): boolean =>
    type === 'DELETED' && kind === 'Pod' && object.metadata.name === name;
}

function isBeingDeleted(uid: string) {
  return ({ object }: MirrorChange): boolean =>
    object.metadata.uid === uid && object.metadata.deletionTimestamp !== undefined;
}

/** Of another driver on the same node: only its own controllers may touch it. */
async function createForeignAttachment(cluster: E2eCluster, { name }: StageNode): Promise<void> {
  await cluster.kube.create(apiPaths.volumeAttachments, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name: 'foreign' },
    spec: { attacher: FOREIGN, nodeName: name, source: { persistentVolumeName: 'pv-of-another-driver' } },
  });
}
