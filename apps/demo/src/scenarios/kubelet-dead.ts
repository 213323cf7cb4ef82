import type { Scenario } from '../scenario.ts';
import { failedOver, releasedAll, VICTIM } from './expect.ts';

export const kubeletDead: Scenario = {
  name: 'kubelet-dead',
  title:
    'a kubelet dies while its pods still write: the node is fenced first, its volumes are released afterwards',
  mode: 'fence',
  async play(run) {
    run.timeline.add('fault', `The kubelet of ${VICTIM} dies; its pods still write`);
    run.world.node(VICTIM).kubelet.stop();
    await failedOver(run);
  },
  judge: releasedAll,
};
