import { until } from '@reattach/sim-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assets, E2eCluster } from './support/e2e-cluster.ts';
import { Stage } from './support/stage.ts';

/** Lease duration 15 s, a try every 2 s, both with the defaults of production. */
const TAKEOVER_MS = 20_000;
/** A leader that stops gives its Lease back: one jittered try of the other, 4.4 s, and what a busy machine adds. */
const HAND_OVER_MS = 8_000;

describe.skipIf(assets === undefined)('two controllers on one cluster', () => {
  let cluster: E2eCluster;
  beforeAll(async () => {
    cluster = await E2eCluster.start();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  it('hand a release over when the leader is killed in it, and the lead when it is stopped', async () => {
    await using stage = await Stage.start(cluster, { name: 'leaders' });
    const first = stage.controller('--mode=fence');
    await first.ready();
    const second = stage.controller('--mode=fence');
    await second.ready();
    expect([first.leads, second.leads]).toEqual([true, false]);

    const dead = stage.node('a');
    await stage.powerOff(dead);
    await until('the fence to be written', 300_000, () => stage.fences().length > 0, 1);
    await first.crash();
    const killedAtMs = Date.now();
    await until('the standby to lead', 2 * TAKEOVER_MS, () => second.leads);
    const takeoverMs = Date.now() - killedAtMs;
    await stage.untilSettled(dead);
    console.log(
      `Leader killed: standby led after ${takeoverMs} ms, pod ran elsewhere after ${Date.now() - killedAtMs} ms`,
    );
    expect(takeoverMs).toBeLessThanOrEqual(TAKEOVER_MS);
    expect(stage.rds.oracle.doubleWrites).toBe(0);
    expect(stage.fences()).toHaveLength(1);
    expect(second.logged('Released stale attachment')).toHaveLength(1);

    const third = stage.controller('--mode=fence');
    await third.ready();
    const stoppedAtMs = Date.now();
    expect(await second.stop()).toBe(0);
    await until('the third to lead', TAKEOVER_MS, () => third.leads);
    console.log(`Leader stopped: standby led after ${Date.now() - stoppedAtMs} ms`);
    expect(Date.now() - stoppedAtMs).toBeLessThan(HAND_OVER_MS);
  });
});
