import { setTimeout as sleep } from 'node:timers/promises';
import type { VolumeAttachmentObject } from '@reattach/kube-sim';
import { type ControllerProcess, until } from '@reattach/sim-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assets, E2eCluster, SYNC_PERIOD_MS } from './support/e2e-cluster.ts';
import { inDefault } from './support/kube-client.ts';
import { Stage, type StageNode } from './support/stage.ts';

/** From the decision to the VolumeAttachment for the new node. */
const GOAL_MS = 2_000;
/** How long Kubernetes alone is waited for; its own rule says 6 min. */
const KUBERNETES_ALONE_MS = 20_000;
/** First minor version of Kubernetes 1.x whose attach-detach controller heeds the out-of-service taint by default. */
const OUT_OF_SERVICE_SINCE_MINOR = 26;

/** One row of the table. Times from the decision, ms. */
interface Row {
  readonly way: string;
  readonly detachedMs: string;
  readonly attachedMs: string;
  readonly runningMs: string;
}

describe.skipIf(assets === undefined)('a StatefulSet pod with an RWO volume whose node dies', () => {
  let cluster: E2eCluster;
  const rows: Row[] = [];
  beforeAll(async () => {
    cluster = await E2eCluster.start();
  });
  afterAll(async () => {
    console.log(table(rows, cluster.envtest.version.gitVersion));
    await cluster[Symbol.asyncDispose]();
  });

  it('waits for Kubernetes alone, even when an operator has deleted the pod', async () => {
    await using stage = await Stage.start(cluster, { name: 'alone' });
    const dead = stage.node('a');
    await stage.powerOff(dead);
    await stage.untilNotReady(dead);
    const [pod = ''] = stage.podsOn(dead);
    await cluster.kube.remove(inDefault('pods', pod), { gracePeriodSeconds: 0 });
    await sleep(KUBERNETES_ALONE_MS);

    expect(stage.attachmentsOn(dead).map(({ metadata }) => metadata.deletionTimestamp)).toEqual([undefined]);
    rows.push({
      way: 'Kubernetes alone, pod deleted by hand',
      detachedMs: 'not within 20 000',
      attachedMs: '-',
      runningMs: '-',
    });
  });

  it.for([
    { strategy: 'in-use', goalMs: GOAL_MS },
    { strategy: 'delete', goalMs: GOAL_MS + SYNC_PERIOD_MS },
    { strategy: 'out-of-service', goalMs: GOAL_MS },
  ])(
    'has its volume attached to another node within $goalMs ms of the decision under strategy $strategy',
    async ({ strategy, goalMs }, { skip }) => {
      const { minor, gitVersion } = cluster.envtest.version;
      if (strategy === 'out-of-service' && minor < OUT_OF_SERVICE_SINCE_MINOR) {
        rows.push({ way: strategy, detachedMs: `skipped: ${gitVersion}`, attachedMs: '-', runningMs: '-' });
        console.warn(
          `Skipped: ${gitVersion} does not know the out-of-service taint (from 1.${OUT_OF_SERVICE_SINCE_MINOR} on)`,
        );
        skip();
      }
      await using stage = await Stage.start(cluster, { name: strategy });
      const controller = stage.controller(
        '--mode=fence',
        `--strategy=${strategy}`,
        '--other-drivers=release-ours',
      );
      await controller.ready();
      const dead = stage.node('a');
      const volume = volumeOn(stage, dead);
      const uid = stage.attachmentsOn(dead)[0]?.metadata.uid;
      await stage.powerOff(dead);
      await stage.untilSettled(dead);

      const decidedAtMs = await decisionTime(controller, stage, dead);
      const since = ({ atMs }: { readonly atMs: number }) => atMs - decidedAtMs;
      const { changes } = cluster.mirror;
      const detached = changes.find(({ type, object }) => type === 'DELETED' && object.metadata.uid === uid);
      const attached = changes.find(
        ({ type, kind, object, atMs }) =>
          type === 'ADDED' &&
          kind === 'VolumeAttachment' &&
          atMs > decidedAtMs &&
          volumeOf(object as VolumeAttachmentObject) === volume,
      );
      const running = changes.findLast(
        ({ kind, object }) => kind === 'Pod' && object.metadata.name === `${stage.name}-0`,
      );
      if (!detached || !attached || !running)
        throw new Error('Expected a detach, an attach and a running pod');
      const row = {
        way: strategy,
        detachedMs: `${since(detached)}`,
        attachedMs: `${since(attached)}`,
        runningMs: `${since(running)}`,
      };
      rows.push(row);
      expect(since(attached)).toBeLessThanOrEqual(goalMs);
      expect(stage.rds.oracle.doubleWrites).toBe(0);
    },
  );
});

/** The moment the pass that released took its time at: what it logged counts from the Node's transition. */
async function decisionTime(controller: ControllerProcess, stage: Stage, dead: StageNode): Promise<number> {
  await until(
    'the release to be logged',
    5_000,
    () => controller.logged('Released stale attachment').length > 0,
  );
  const lostForMs = Number(controller.logged('Released stale attachment')[0]?.['lostForMs']);
  return (stage.notReadySinceMs(dead) ?? Number.NaN) + lostForMs;
}

function volumeOn(stage: Stage, node: StageNode): string {
  return volumeOf(stage.attachmentsOn(node)[0]) ?? '';
}

function volumeOf(attachment: VolumeAttachmentObject | undefined): string | undefined {
  return attachment?.spec?.source.persistentVolumeName;
}

function table(rows: readonly Row[], version: string): string {
  const head = {
    way: `way (Kubernetes ${version})`,
    detachedMs: 'old VA gone',
    attachedMs: 'new VA',
    runningMs: 'pod running',
  };
  const lines = [head, ...rows].map(
    ({ way, detachedMs, attachedMs, runningMs }) =>
      `| ${way.padEnd(40)} | ${detachedMs.padStart(18)} | ${attachedMs.padStart(8)} | ${runningMs.padStart(11)} |`,
  );
  return `From the decision, ms; attach-detach sync period ${SYNC_PERIOD_MS} ms:\n${lines.join('\n')}`;
}
