import type { Scenario } from '../scenario.ts';
import { HELD_MS, heldAll, VICTIM } from './expect.ts';

export const boxDown: Scenario = {
  name: 'box-down',
  title: 'the box cannot be asked while a node dies; losing sight of the box means: do nothing',
  mode: 'fence',
  async play(stage) {
    stage.story.tell('fault', `SSH to the box goes down, then the power of ${VICTIM}`);
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
