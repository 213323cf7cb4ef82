import type { Scenario } from '../scenario.ts';
import { failedOver, releasedAll, VICTIM } from './expect.ts';

export const powerLoss: Scenario = {
  name: 'power-loss',
  title: 'a node loses its power: it is fenced, its volumes move, every replica runs again',
  mode: 'fence',
  async play(run) {
    run.timeline.add('fault', `${VICTIM} loses its power`);
    run.world.powerOff(VICTIM);
    await failedOver(run);
  },
  judge: releasedAll,
};
