import type { Scenario } from '../scenario.ts';
import { failedOver, releasedAll, VICTIM } from './expect.ts';

export const rejoin: Scenario = {
  name: 'rejoin',
  title: 'a node that was fenced and tainted boots and is let back: first the taint goes, then the fence',
  mode: 'fence',
  flags: ['--strategy=out-of-service', '--other-drivers=release-ours'],
  async play(stage) {
    const { world, story } = stage;
    story.tell('fault', `The power of ${VICTIM} goes`);
    world.powerOff(VICTIM);
    await failedOver(stage);
    story.tell('story', `The power of ${VICTIM} is back: it boots`);
    world.powerOn(VICTIM);
    await stage.until(
      'the taint and the fence to be taken back',
      8_000,
      () => stage.logged('Unfenced node').length > 0,
    );
  },
  judge(outcome, stage) {
    const { kube, rds } = stage.world;
    const taints = kube.store.get('Node', VICTIM)?.spec?.taints ?? [];
    const isTainted = taints.some(({ key }) => key === 'node.kubernetes.io/out-of-service');
    return [
      ...releasedAll(outcome, stage),
      ...(isTainted ? ['the out-of-service taint is still there'] : []),
      ...(rds.device.addressList.entries.length === 0 ? [] : ['the fence still stands']),
    ];
  },
};
