import type { Scenario } from '../scenario.ts';
import { failedOver, releasedAll, VICTIM } from './expect.ts';

export const rejoin: Scenario = {
  name: 'rejoin',
  title: 'a node that was fenced and tainted boots again: first the taint is removed, then the fence',
  mode: 'fence',
  flags: ['--strategy=out-of-service', '--other-drivers=release-ours'],
  async play(run) {
    const { world, timeline } = run;
    timeline.add('fault', `${VICTIM} loses its power`);
    world.powerOff(VICTIM);
    await failedOver(run);
    timeline.add('narration', `${VICTIM} has power again and boots`);
    world.powerOn(VICTIM);
    await run.until('the taint and the fence to be removed', () => run.logged('Unfenced node').length > 0);
  },
  judge(outcome, run) {
    const { kube, rds } = run.world;
    const taints = kube.store.get('Node', VICTIM)?.spec?.taints ?? [];
    const isTainted = taints.some(({ key }) => key === 'node.kubernetes.io/out-of-service');
    return [
      ...releasedAll(outcome, run),
      ...(isTainted ? ['the out-of-service taint is still there'] : []),
      ...(rds.device.addressList.entries.length === 0 ? [] : ['the fence was not removed']),
    ];
  },
};
