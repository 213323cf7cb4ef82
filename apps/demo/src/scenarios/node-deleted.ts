import type { Scenario } from '../scenario.ts';
import { failedOver, releasedAll, VICTIM } from './expect.ts';

export const nodeDeleted: Scenario = {
  name: 'node-deleted',
  title:
    'a node loses its power and somebody deletes the Node object: there is nothing left to taint or patch',
  mode: 'fence',
  async play(stage) {
    const { world, story } = stage;
    story.tell('fault', `The power of ${VICTIM} goes, and its Node object is deleted`);
    world.powerOff(VICTIM);
    world.kube.store.delete('Node', VICTIM);
    await failedOver(stage);
  },
  judge: releasedAll,
};
