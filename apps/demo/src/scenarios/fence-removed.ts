import { COMPRESSED_TIMES } from '@reattach/sim-world';
import type { Scenario } from '../scenario.ts';
import type { ScenarioRun } from '../scenario-run.ts';
import { failedOver, fencedAre, releasedAll, untilDropped, VICTIM } from './expect.ts';

/** From one attempt of a host to connect to the next, ms: not compressed, so that the fence is back before the next one. */
const RECONNECT_MS = 12_000;

/** How much of it must be left when the fence is removed, ms: far more than the controller needs, also on a busy machine. */
const LEFT_MS = 5_000;

export const fenceRemoved: Scenario = {
  name: 'fence-removed',
  title: 'the fence of a cut-off node is removed at the backend: it is put back before the node writes again',
  mode: 'fence',
  world: { times: { ...COMPRESSED_TIMES, reconnectDelayMs: RECONNECT_MS } },
  async play(run) {
    const { world, timeline } = run;
    timeline.add(
      'fault',
      `${VICTIM} loses the cluster network but not the storage network: its pods still write`,
    );
    world.node(VICTIM).kubelet.stop();
    await failedOver(run);
    const { host } = world.node(VICTIM);
    await run.until(
      'the fenced machine to wait for its next attempt',
      () => (host.nextAttemptAtMs ?? 0) - Date.now() >= LEFT_MS,
    );
    timeline.add('fault', 'Another administrator removes the fence at the backend');
    removeFences(run);
    await run.until(
      'the fence to be put back',
      () => run.logged('Restored fence that was removed').length > 0,
    );
    await untilDropped(run);
    timeline.add('narration', `${VICTIM} tried to write again and was kept out`);
  },
  judge: (outcome, run) => [
    ...releasedAll(outcome, run),
    ...fencedAre(run, [run.world.node(VICTIM).address]),
  ],
};

/** On an RDS the address-list entries go, on a Linux target the nft table. */
function removeFences({ world }: ScenarioRun): void {
  if (world.linux) return world.linux.table.flush();
  const { addressList } = world.rds.device;
  for (const entry of addressList.entries) addressList.remove(entry);
}
