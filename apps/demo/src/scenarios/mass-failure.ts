import type { Scenario } from '../scenario.ts';
import { HELD_MS, heldAll, VICTIM } from './expect.ts';

export const massFailure: Scenario = {
  name: 'mass-failure',
  title: 'two of three nodes are lost at once: the fault may be on our side, so Reattach does nothing',
  mode: 'fence',
  lesson: {
    learn:
      'Several nodes lost at once are more likely a fault of the network or of the API server than of the nodes.',
    next: 'Repair the common cause. If the nodes are really dead, power them off and release by hand: docs/runbook.md#mass-failure',
  },
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
