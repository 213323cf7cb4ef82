import type { Scenario } from '../scenario.ts';
import { failedOver, releasedAll, VICTIM } from './expect.ts';

export const leaderCrash: Scenario = {
  name: 'leader-crash',
  title:
    'the leader dies between fence and release; the other replica finds the fence at the backend and finishes',
  mode: 'fence',
  controllers: 2,
  async play(stage) {
    const { world, story } = stage;
    story.tell('fault', `The power of ${VICTIM} goes`);
    world.powerOff(VICTIM);
    await stage.until('the fence', 12_000, () => stage.logged('Fenced node').length > 0);
    const name = stage.log.find((line) => line.msg === 'Fenced node')?.from;
    await stage.controllers.find((controller) => controller.name === name)?.crash();
    story.tell('story', `The leader ${name} is killed`);
    await failedOver(stage);
  },
  judge(outcome, stage) {
    const fences = stage.world.rds.device.addressList.entries.length;
    return [...releasedAll(outcome, stage), ...(fences === 1 ? [] : [`expected one fence, found ${fences}`])];
  },
};
