import type { Scenario } from '../scenario.ts';
import { failedOver, fencedAre, releasedAll, untilHeld, VICTIM } from './expect.ts';

const SECOND_ADDRESS = '10.1.0.12';
const REASON = 'unattributed-session';

export const secondPath: Scenario = {
  name: 'second-path',
  title:
    'a lost node also writes from an address that its Node does not report: held until an operator names it, then released',
  mode: 'fence',
  world: { machines: { [VICTIM]: { secondAddress: SECOND_ADDRESS } } },
  lesson: {
    learn:
      'A session that belongs to no known node may be a second path of the lost one, so a fence of the known address proves nothing.',
    next: 'Find the host of every such address before a node fails: `reattach doctor` lists them. See docs/runbook.md#unattributed-session',
  },
  async play(run) {
    const { world, timeline } = run;
    const { kubelet, address } = world.node(VICTIM);
    timeline.add(
      'fault',
      `The kubelet of ${VICTIM} dies; its pods still write, from ${address} and from ${SECOND_ADDRESS}`,
    );
    kubelet.stop();
    await untilHeld(run, REASON);
    if (run.logged('Released stale attachment').length > 0)
      throw new Error('a volume was released while an unknown host wrote');
    timeline.add(
      'narration',
      `An operator runs: kubectl annotate node ${VICTIM} reattach.srvlab.io/storage-addresses=${SECOND_ADDRESS}`,
    );
    const annotations = { 'reattach.srvlab.io/storage-addresses': SECOND_ADDRESS };
    world.kube.store.patch('Node', VICTIM, { metadata: { annotations } });
    await failedOver(run);
  },
  judge: (outcome, run) => [
    ...releasedAll(outcome, run),
    ...fencedAre(run, [run.world.node(VICTIM).address, SECOND_ADDRESS]),
  ],
};
