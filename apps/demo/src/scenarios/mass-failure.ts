import type { Scenario } from '../scenario.ts';
import { HELD_MS, heldAll, VICTIM } from './expect.ts';

export const massFailure: Scenario = {
  name: 'mass-failure',
  title: 'two of three nodes are lost at once: the fault may be ours, so nothing is done',
  mode: 'fence',
  async play(stage) {
    stage.story.tell('fault', `${VICTIM} and node-c are lost at once`);
    stage.world.powerOff(VICTIM);
    stage.world.powerOff('node-c');
    await stage.until(
      'the release to be held',
      12_000,
      () => stage.logged('Held release', { reason: 'mass-failure' }).length >= 4,
    );
    await stage.pause(HELD_MS);
  },
  judge: heldAll('mass-failure', 4),
};
