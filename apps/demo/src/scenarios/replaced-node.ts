import type { Scenario } from '../scenario.ts';
import { failedOver, fencedAre, releasedVolumes, untilDropped, VICTIM } from './expect.ts';

const NEW_ADDRESS = '10.0.0.21';
const OLD_ADDRESS = '10.0.0.12';

export const replacedNode: Scenario = {
  name: 'replaced-node',
  title:
    'a new machine joins under the name of a node that was cut off and still writes: the old machine stays fenced',
  mode: 'fence',
  async play(run) {
    const { world, timeline } = run;
    const { kubelet } = world.node(VICTIM);
    timeline.add(
      'fault',
      `${VICTIM} loses the cluster network, its pods still write, and its Node is deleted`,
    );
    kubelet.stop();
    world.kube.store.delete('Node', VICTIM);
    await failedOver(run);
    timeline.add(
      'fault',
      `Another machine joins as ${VICTIM} with the address ${NEW_ADDRESS}; the old one runs on`,
    );
    world.replaceMachine({ nodeName: VICTIM, address: NEW_ADDRESS, machineName: `${VICTIM}-new` });
    world.kube.store.delete('Pod', 'db-1', 'default', { gracePeriodSeconds: 0 });
    await run.until(
      `db-1 to run on the new ${VICTIM}`,
      () => world.isSettled && world.podsOn(VICTIM).includes('db-1'),
    );
    await untilDropped(run);
    timeline.add(
      'narration',
      `The old machine still tries to write to the volume of db-1; the fence keeps it out`,
    );
  },
  judge({ released, held }, run) {
    const unfenced = run.logged('Unfenced node').length;
    return [
      ...releasedVolumes(released, held, 2),
      ...fencedAre(run, [OLD_ADDRESS]),
      ...(unfenced === 0 ? [] : ['the fence of the old machine was removed']),
    ];
  },
};
