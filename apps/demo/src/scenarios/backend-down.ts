import type { Scenario } from '../scenario.ts';
import { HELD_MS, heldAll, VICTIM } from './expect.ts';

export const backendDown: Scenario = {
  name: 'backend-down',
  title: 'the backend cannot be read while a node dies: Reattach does nothing and says why',
  mode: 'fence',
  lesson: {
    learn:
      'Silence and an unreachable backend look alike from outside. Without a reading nothing is fenced and nothing is released.',
    next: '`reattach doctor` names what fails between controller and backend. See docs/runbook.md#storage-unknown',
  },
  async play(run) {
    run.timeline.add('fault', `SSH to the backend goes down, then the power of ${VICTIM}`);
    await run.world.rds.faults.down();
    run.world.powerOff(VICTIM);
    await run.until(
      'the release to be held',
      () => run.logged('Held release', { reason: 'storage-unknown' }).length >= 2,
    );
    await run.pause(HELD_MS);
  },
  judge: heldAll('storage-unknown'),
};
