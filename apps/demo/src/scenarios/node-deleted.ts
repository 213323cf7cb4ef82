import type { Scenario } from '../scenario.ts';
import { failedOver, releasedAll, VICTIM } from './expect.ts';

export const nodeDeleted: Scenario = {
  name: 'node-deleted',
  title: 'a node loses its power and its Node object is deleted: no object is left to taint or to patch',
  mode: 'fence',
  async play(run) {
    const { world, timeline } = run;
    timeline.add('fault', `${VICTIM} loses its power and its Node object is deleted`);
    world.powerOff(VICTIM);
    world.kube.store.delete('Node', VICTIM);
    await failedOver(run);
  },
  judge: releasedAll,
};
