import { apiPaths } from '@reattach/k8s-api';
import { until } from '@reattach/sim-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assets, E2eCluster } from './support/e2e-cluster.ts';
import { Stage, type StageNode } from './support/stage.ts';

/** Often enough to strike between two writes of one release. */
const WATCH_INTERVAL_MS = 1;

/** A moment at which the process dies, seen from outside. */
interface Point {
  readonly when: string;
  readonly flags: readonly string[];
  readonly nodeDeleted?: true;
  readonly hasCome: (stage: Stage, dead: StageNode, uid: string) => boolean;
}

const FENCE = ['--mode=fence'];
const points: readonly Point[] = [
  {
    when: 'the Node has become NotReady',
    flags: FENCE,
    hasCome: (stage, dead) => stage.notReadySinceMs(dead) !== undefined,
  },
  {
    when: 'the fence has been written at the backend',
    flags: FENCE,
    hasCome: (stage) => stage.fences().length > 0,
  },
  {
    when: 'the pod has been deleted',
    flags: FENCE,
    hasCome: (stage, dead) => stage.podsOn(dead).length === 0,
  },
  {
    when: 'the VolumeAttachment has been deleted',
    flags: [...FENCE, '--strategy=delete'],
    hasCome: ({ cluster }, _dead, uid) =>
      cluster.mirror.changes.some(
        ({ object }) => object.metadata.uid === uid && object.metadata.deletionTimestamp !== undefined,
      ),
  },
  {
    when: 'a deleted Node has gone',
    flags: FENCE,
    nodeDeleted: true,
    hasCome: ({ cluster }, dead) => cluster.mirror.get('Node', dead.name) === undefined,
  },
];

describe.skipIf(assets === undefined)('a controller that is killed', () => {
  let cluster: E2eCluster;
  beforeAll(async () => {
    cluster = await E2eCluster.start();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  it.each(points.map((point, index) => ({ ...point, index })))(
    'when $when ends, restarted, in the state an undisturbed one ends in',
    async ({ index, flags, nodeDeleted, hasCome }) => {
      await using stage = await Stage.start(cluster, { name: `crash-${index}` });
      const alone = [...flags, '--leader-election-enabled=false'];
      const controller = stage.controller(...alone);
      await controller.ready();
      const dead = stage.node('a');
      const uid = stage.attachmentsOn(dead)[0]?.metadata.uid ?? '';

      await stage.powerOff(dead);
      if (nodeDeleted) await cluster.kube.remove(apiPaths.node(dead.name));
      await until('the moment to die', 300_000, () => hasCome(stage, dead, uid), WATCH_INTERVAL_MS);
      await controller.crash();
      const before = stage.progress(dead);
      const restarted = stage.controller(...alone);
      await restarted.ready();
      const isConfirmed = await stage.untilSettledOrConfirmed(dead, restarted);
      await until('the restarted controller to rest', 5_000, () => stage.fences().length === 1);

      console.log(
        `Killed with ${before}; ${isConfirmed ? 'an operator confirmed that the machine was off; ' : ''}the successor wrote: ${
          restarted.log
            .map(({ msg }) => msg)
            .filter(isWrite)
            .join(', ') || 'nothing'
        }`,
      );
      expect(stage.rds.oracle.doubleWrites).toBe(0);
      expect(stage.attachmentsOn(dead)).toEqual([]);
      expect(stage.podsOn(dead)).toEqual([]);
      // One fence, whichever replica wrote it: the successor uses the one it finds.
      expect(stage.fences()).toEqual([
        expect.stringMatching(new RegExp(`^reattach/2 id=[0-9a-f]{8} node=${dead.name} `)),
      ]);
    },
  );
});

function isWrite(message: string): boolean {
  return ['Fenced node', 'Deleted pod', 'Released stale attachment'].includes(message);
}
