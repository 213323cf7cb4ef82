import type { Scenario } from '../scenario.ts';
import { failedOver, fencedAre, releasedAll, untilDropped, VICTIM } from './expect.ts';

/** `keep-alive-tmo` of the host, ms. Real: 120 s. Its keep-alives are half of it apart, longer than the activity window. */
const KEEP_ALIVE_TIMEOUT_MS = 6_000;
const KEEP_ALIVE_INTERVAL_MS = 3_000;

export const longKeepAlive: Scenario = {
  name: 'long-keep-alive',
  title:
    'a host with a keep-alive time-out of 120 s rarely speaks: it is not taken for silent, and is released after its fence',
  mode: 'fence',
  world: {
    machines: {
      [VICTIM]: {
        keepAliveTimeoutMs: KEEP_ALIVE_TIMEOUT_MS,
        keepAliveIntervalMs: KEEP_ALIVE_INTERVAL_MS,
      },
    },
  },
  async play(run) {
    const { world, timeline } = run;
    const { kubelet, workload } = world.node(VICTIM);
    workload.isIdle = true;
    timeline.add(
      'narration',
      `The pods of ${VICTIM} are idle: it sends a packet every ${KEEP_ALIVE_INTERVAL_MS / 1_000} s, less often than the activity window of 2 s`,
    );
    await run.listen(3 * KEEP_ALIVE_INTERVAL_MS);
    timeline.add('fault', `The kubelet of ${VICTIM} dies; its pods run on`);
    kubelet.stop();
    await run.until('the fence', async () => {
      const evidence = await run.evidenceOf(VICTIM);
      const isFenced = world.rds.device.addressList.entries.length > 0;
      if (!isFenced && evidence.includes('silent')) throw new Error('the living host was called silent');
      return isFenced;
    });
    timeline.add('narration', `The pods of ${VICTIM} write again`);
    workload.isIdle = false;
    await failedOver(run);
    await untilDropped(run);
  },
  judge: (outcome, run) => [
    ...releasedAll(outcome, run),
    ...fencedAre(run, [run.world.node(VICTIM).address]),
  ],
};
