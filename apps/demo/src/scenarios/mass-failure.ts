import type { Scenario } from '../scenario.ts';
import { HELD_MS, heldAll, VICTIM } from './expect.ts';

export const massFailure: Scenario = {
  name: 'mass-failure',
  title: 'two of three nodes are lost at once: the fault may be on our side, so Reattach does nothing',
  mode: 'fence',
  async play(run) {
    run.timeline.add('fault', `${VICTIM} and node-c are lost at once`);
    run.world.powerOff(VICTIM);
    run.world.powerOff('node-c');
    await run.until(
      'the release to be held',
      () => run.logged('Held release', { reason: 'mass-failure' }).length >= 4,
    );
    await run.pause(HELD_MS);
  },
  judge: heldAll('mass-failure', 4),
};
