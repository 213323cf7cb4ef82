import type { Scenario } from '../scenario.ts';
import { HELD_MS, heldAll, VICTIM } from './expect.ts';

export const kubeletDead: Scenario = {
  name: 'kubelet-dead',
  title: 'a kubelet dies while its pods go on writing; without a fence nothing may be released',
  mode: 'release',
  async play(stage) {
    stage.story.tell('fault', `The kubelet of ${VICTIM} dies; its pods go on writing`);
    stage.world.node(VICTIM).kubelet.stop();
    await stage.until(
      'the release to be held',
      12_000,
      () => stage.logged('Held release', { reason: 'node-still-writing' }).length >= 2,
    );
    await stage.pause(HELD_MS);
  },
  judge: heldAll('node-still-writing'),
};
