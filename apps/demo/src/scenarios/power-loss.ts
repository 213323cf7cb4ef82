import type { Scenario } from '../scenario.ts';
import { failedOver, releasedAll, VICTIM } from './expect.ts';

export const powerLoss: Scenario = {
  name: 'power-loss',
  title: 'a node loses its power; it is fenced, its volumes move, everything runs again',
  mode: 'fence',
  async play(stage) {
    stage.story.tell('fault', `The power of ${VICTIM} goes`);
    stage.world.powerOff(VICTIM);
    await failedOver(stage);
  },
  judge: releasedAll,
};
