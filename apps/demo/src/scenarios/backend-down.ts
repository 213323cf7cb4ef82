import type { Scenario } from '../scenario.ts';
import { HELD_MS, heldAll, VICTIM } from './expect.ts';

export const backendDown: Scenario = {
  name: 'backend-down',
  title: 'the backend cannot be asked while a node dies; losing sight of the backend means: do nothing',
  mode: 'fence',
  async play(stage) {
    stage.story.tell('fault', `SSH to the backend goes down, then the power of ${VICTIM}`);
    await stage.world.rds.faults.down();
    stage.world.powerOff(VICTIM);
    await stage.until(
      'the release to be held',
      12_000,
      () => stage.logged('Held release', { reason: 'storage-unknown' }).length >= 2,
    );
    await stage.pause(HELD_MS);
  },
  judge: heldAll('storage-unknown'),
};
