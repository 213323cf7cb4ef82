import type { Scenario } from '../scenario.ts';
import { failedOver, releasedAll, VICTIM } from './expect.ts';

export const leaderCrash: Scenario = {
  name: 'leader-crash',
  title:
    'the leader dies between fence and release: the other replica reads the fence at the backend and completes the release',
  mode: 'fence',
  controllers: 2,
  async play(run) {
    const { world, timeline } = run;
    timeline.add('fault', `${VICTIM} loses its power`);
    world.powerOff(VICTIM);
    await run.until('the fence', () => run.logged('Fenced node').length > 0);
    const name = run.log.find((line) => line.msg === 'Fenced node')?.from;
    await run.controllers.find((controller) => controller.name === name)?.crash();
    timeline.add('narration', `The leader ${name} is killed`);
    await failedOver(run);
  },
  judge(outcome, run) {
    const fences = run.world.rds.device.addressList.entries.length;
    return [...releasedAll(outcome, run), ...(fences === 1 ? [] : [`expected one fence, found ${fences}`])];
  },
};
