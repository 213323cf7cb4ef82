import type { Scenario } from '../scenario.ts';
import { failedOver, releasedAll, VICTIM } from './expect.ts';

/** How long the node that is back tries to replay its dirty pages, ms. */
const REPLAY_MS = 1_000;

export const partition: Scenario = {
  name: 'partition',
  title:
    'a node is cut off from the cluster, lives, writes, and comes back with dirty pages: the fence must hold',
  mode: 'fence',
  async play(stage) {
    const { world, story } = stage;
    const { kubelet, host } = world.node(VICTIM);
    story.tell('fault', `${VICTIM} loses the cluster, not the backend: its pods go on writing`);
    kubelet.stop();
    await failedOver(stage);
    const dirty = world.rds.device.volumes
      .map(({ slot }) => host.dirtyWrites(slot))
      .reduce((sum, count) => sum + count, 0);
    story.tell(
      'story',
      `${VICTIM} holds ${dirty} writes that the backend did not take, and tries for ever to replay them`,
    );
    if (dirty === 0) throw new Error('the node has no dirty pages: the fence cut nothing');
    await stage.pause(REPLAY_MS);
    kubelet.start();
    await stage.until(`${VICTIM} to be Ready again`, 3_000, () => world.attachedTo(VICTIM).length === 0);
    await stage.pause(REPLAY_MS);
    story.tell('story', `${VICTIM} is Ready again, has not booted, and stays fenced`);
  },
  judge(outcome, stage) {
    const fences = stage.world.rds.device.addressList.entries.length;
    return [
      ...releasedAll(outcome, stage),
      ...(fences === 1 ? [] : [`expected the fence to stand, found ${fences} entries at the backend`]),
    ];
  },
};
