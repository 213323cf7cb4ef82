import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@reattach/core';
import { RecordingLogger } from '@reattach/core/testing';
import { loadKubeApi } from '@reattach/k8s-api';
import { KubeSim, startFakeControllers } from '@reattach/kube-sim';
import { describe, expect, it } from 'vitest';
import { runDriver } from '../own-backend/driver.ts';
import { eventually } from './eventually.ts';
import { FakeArray } from './fake-array.ts';

const DRIVERS = ['a.example.com', 'b.example.com'] as const;
const [N1, N2, N3] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'] as const;
/** Kubernetes by itself would need minutes: 6 for a detach, 5 for an eviction. */
const TIMES = {
  attachMs: 10,
  detachMs: 10,
  nodeGraceMs: 4_000,
  nodeMonitorPeriodMs: 100,
  leaseIntervalMs: 200,
  nodeStatusIntervalMs: 200,
  syncPeriodMs: 200,
  attachDetachLoopMs: 50,
};
const POLICY = { gracePeriodMs: 500, silentGraceMs: 200, suspectPollMs: 100 };
const FENCE = { pollMs: 100, neverFence: {} };

describe('two drivers in one cluster and at one array', () => {
  it('release their own volumes of a dead node, and lift only their own fences', async () => {
    await using sim = await KubeSim.start();
    const folder = await mkdtemp(join(tmpdir(), 'two-drivers-'));
    const kubeconfig = join(folder, 'kubeconfig');
    await sim.writeKubeconfig(kubeconfig);
    await using api = loadKubeApi({ kubeconfigPaths: [kubeconfig] });
    const array = new FakeArray(systemClock);
    array.powerOn(N1, N2, N3);
    sim.addNode({ name: 'n1', internalIP: N1 });
    using cluster = startFakeControllers(sim, { drivers: DRIVERS, times: TIMES });
    for (const driver of DRIVERS) {
      const [app = ''] = driver;
      array.volumes.push(`vol-${app}`);
      sim.addVolume({ name: `pv-${app}`, claim: `data-${app}-0`, handle: `vol-${app}`, driver });
      sim.addStatefulSet({ name: app });
    }
    const nodeOf = (driver: string) =>
      sim.store
        .list('VolumeAttachment')
        .filter(({ spec, status }) => spec?.attacher === driver && status?.attached === true)
        .map(({ spec }) => spec?.nodeName)
        .join();
    await eventually(() => DRIVERS.every((driver) => nodeOf(driver) === 'n1'));
    sim.addNode({ name: 'n2', internalIP: N2 });
    sim.addNode({ name: 'n3', internalIP: N3 });

    const logger = new RecordingLogger();
    const run = (driver: string) => {
      const stop = new AbortController();
      const started = Promise.withResolvers<void>();
      const options = { api, logger, signal: stop.signal, onStarted: started.resolve };
      const done = runDriver(driver, array, { ...options, policy: { ...POLICY, fence: FENCE } });
      done.catch(started.reject);
      return { started: started.promise, stop: () => (stop.abort(new Error('stopped')), done) };
    };
    const ownersOfBlocks = () =>
      array.blocks.map(({ comment }) => (JSON.parse(comment) as { owner: string }).owner).toSorted();
    const taints = () =>
      (sim.store.get('Node', 'n1')?.spec?.taints ?? []).filter(({ key }) => key.startsWith('reattach.'));
    const [a, b] = [run(DRIVERS[0]), run(DRIVERS[1])];
    let again: ReturnType<typeof run> | undefined;
    try {
      await Promise.all([a.started, b.started]);
      array.powerOff(N1, 60_000);
      cluster.kubelet('n1').stop();
      const found = () => [DRIVERS.map(nodeOf), array.blocks, logger.lines.slice(-20)];
      await eventually(() => DRIVERS.every((driver) => ['n2', 'n3'].includes(nodeOf(driver))), found);
      expect(ownersOfBlocks()).toEqual(DRIVERS);

      await b.stop(); // a cleans up alone; the fence of b is not its own
      array.powerOn(N1);
      const { nodeInfo } = sim.store.get('Node', 'n1')?.status ?? {};
      sim.store.patch('Node', 'n1', { status: { nodeInfo: { ...nodeInfo, bootID: 'boot-2' } } });
      cluster.kubelet('n1').start({ rebooted: true });
      await eventually(() => ownersOfBlocks().join() === DRIVERS[1], found);
      // The taint goes after the fence. One of b, if it was first to taint, stays.
      await eventually(() => taints().every(({ value }) => value !== DRIVERS[0]), found);
      expect(ownersOfBlocks()).toEqual([DRIVERS[1]]);

      again = run(DRIVERS[1]);
      await eventually(() => array.blocks.length === 0 && taints().length === 0, found);
      expect(DRIVERS.map(nodeOf)).not.toContain('n1');
    } finally {
      await Promise.all([a.stop(), b.stop(), again?.stop()]);
      await rm(folder, { recursive: true });
    }
  });
});
