import type { Scenario } from '../scenario.ts';
import { failedOver, releasedAll, VICTIM } from './expect.ts';

/** How long the returned node tries to replay its dirty pages, ms. */
const REPLAY_MS = 1_000;

export const partition: Scenario = {
  name: 'partition',
  title:
    'a node loses the cluster network, still writes, and returns with dirty pages: the fence keeps them out',
  mode: 'fence',
  async play(run) {
    const { world, timeline } = run;
    const { kubelet, host } = world.node(VICTIM);
    timeline.add(
      'fault',
      `${VICTIM} loses the cluster network but not the storage network: its pods still write`,
    );
    kubelet.stop();
    await failedOver(run);
    const dirty = world.rds.device.volumes
      .map(({ slot }) => host.dirtyWrites(slot))
      .reduce((sum, count) => sum + count, 0);
    timeline.add(
      'narration',
      `${VICTIM} holds ${dirty} writes that the backend did not take, and retries them without end`,
    );
    if (dirty === 0) throw new Error('the node has no dirty pages: the fence dropped nothing');
    await run.pause(REPLAY_MS);
    kubelet.start();
    await run.until(`${VICTIM} to be Ready again`, () => world.attachedTo(VICTIM).length === 0);
    await run.pause(REPLAY_MS);
    timeline.add('narration', `${VICTIM} is Ready again, has not booted, and stays fenced`);
  },
  judge(outcome, run) {
    const fences = run.world.rds.device.addressList.entries.length;
    return [
      ...releasedAll(outcome, run),
      ...(fences === 1 ? [] : [`expected one fence, found ${fences} entries at the backend`]),
    ];
  },
};
