import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeControllers, startFakeControllers } from './fake-controllers.ts';
import { isReady, OUT_OF_SERVICE_TAINT } from './node-state.ts';
import { DRIVER, IN_USE, TestCluster, VOLUME } from './test-cluster.test-support.ts';

/** Longest time from a free volume to a running pod: A/D loops, attacher 0.5 s each way. */
const FAIL_OVER_MS = 2_000;

describe('startFakeControllers', () => {
  let test: TestCluster;
  let fakes: FakeControllers;
  let log: string[];

  /** Three nodes, and a StatefulSet whose one pod runs on node `a`. */
  beforeEach(async () => {
    test = await TestCluster.start();
    log = [];
    for (const name of ['a', 'b', 'c']) test.sim.addNode({ name });
    fakes = startFakeControllers(test.sim, {
      drivers: [DRIVER],
      hooks: (nodeName) => ({
        onMount: (volume) => void log.push(`${nodeName} mounts ${volume}`),
        onUnmount: (volume) => void log.push(`${nodeName} unmounts ${volume}`),
      }),
    });
    test.sim.addVolume(VOLUME);
    test.sim.addStatefulSet({ name: 'db' });
    await test.until(() => isRunningOn('a'), FAIL_OVER_MS);
    await test.clock.advance(60_000);
    log.length = 0;
  });
  afterEach(async () => {
    fakes[Symbol.dispose]();
    await test[Symbol.asyncDispose]();
  });

  const isRunningOn = (nodeName: string) =>
    test.pod()?.spec?.nodeName === nodeName &&
    test.pod()?.status?.phase === 'Running' &&
    test.pod()?.metadata.deletionTimestamp === undefined;
  const node = (name: string) => test.sim.store.get('Node', name);

  /** Node `a` dies and Kubernetes has noticed. */
  async function killNodeA(): Promise<void> {
    fakes.kubelet('a').stop();
    await test.until(() => !isReady(node('a')), 60_000, 1_000);
  }

  it('leave the pod of a dead node Terminating', async () => {
    await killNodeA();
    await test.clock.advance(7_200_000);
    expect(test.pod()).toMatchObject({
      metadata: { deletionTimestamp: expect.any(String) },
      spec: { nodeName: 'a' },
    });
    expect(log).toEqual([]);
  });

  it('fail a StatefulSet pod over only after its force-delete and six minutes', async () => {
    await killNodeA();
    await test.clock.advance(600_000);
    test.forceDelete();
    const waitMs = await test.until(() => isRunningOn('b'), 400_000);
    expect(waitMs).toBeGreaterThan(360_000);
    expect(waitMs).toBeLessThan(360_000 + FAIL_OVER_MS);
    expect(log).toEqual(['b mounts pv-0']);
    const reasons = test.sim.store.list('Event').map(({ reason }) => reason);
    expect(reasons).toEqual(['FailedAttachVolume']);
  });

  it('fail over at once when the volume is removed from volumesInUse', async () => {
    await killNodeA();
    test.forceDelete();
    await test.clock.advance(1_000);
    test.sim.store.patch('Node', 'a', { status: { volumesInUse: [] } });
    expect(await test.until(() => isRunningOn('b'), FAIL_OVER_MS)).toBeGreaterThan(0);
    expect(test.attachment('a')).toBeUndefined();
  });

  it('fail over within a minute when the VolumeAttachment is deleted', async () => {
    await killNodeA();
    test.forceDelete();
    test.sim.store.delete('VolumeAttachment', test.attachment('a')?.metadata.name ?? '');
    const waitMs = await test.until(() => isRunningOn('b'), 62_000);
    expect(waitMs).toBeGreaterThan(FAIL_OVER_MS);
  });

  it('need no force-delete when the node is tainted out of service', async () => {
    await killNodeA();
    const taints = [
      ...(node('a')?.spec?.taints ?? []),
      { key: OUT_OF_SERVICE_TAINT, value: 'nodeshutdown', effect: 'NoExecute' },
    ];
    test.sim.store.patch('Node', 'a', { spec: { taints } });
    expect(await test.until(() => isRunningOn('b'), 20_000 + FAIL_OVER_MS)).toBeGreaterThan(0);
  });

  it('fail over 40 to 80 s and six minutes after the Node was deleted', async () => {
    await killNodeA();
    test.sim.store.delete('Node', 'a');
    const waitMs = await test.until(() => isRunningOn('b'), 500_000);
    expect(waitMs).toBeGreaterThan(400_000);
    expect(waitMs).toBeLessThan(440_000 + FAIL_OVER_MS);
  });

  it('let a node that comes back too late kill what it lost', async () => {
    await killNodeA();
    test.forceDelete();
    test.sim.store.patch('Node', 'a', { status: { volumesInUse: [] } });
    await test.until(() => isRunningOn('b'), FAIL_OVER_MS);
    expect(fakes.kubelet('a').mounted).toEqual(['pv-0']);
    fakes.kubelet('a').start();
    await test.clock.advance(10_000);
    expect(log).toEqual(['b mounts pv-0', 'a unmounts pv-0']);
    expect(node('a')?.spec?.taints).toEqual([]);
    expect(isRunningOn('b')).toBe(true);
  });

  it('let a node that comes back in time keep its pod', async () => {
    await killNodeA();
    fakes.kubelet('a').start();
    await test.clock.advance(600_000);
    expect([isRunningOn('a'), log]).toEqual([true, []]);
    expect(node('a')?.status).toMatchObject({
      volumesInUse: [IN_USE],
      volumesAttached: [{ name: IN_USE }],
    });
  });

  it('give a node that is added later a kubelet', async () => {
    test.sim.addNode({ name: 'd' });
    await test.clock.advance(600_000);
    expect(fakes.kubelet('d').isRunning).toBe(true);
    expect(isReady(node('d'))).toBe(true);
  });

  it('name what they know when asked for something else', () => {
    expect(() => fakes.kubelet('x')).toThrow('Expected a Node among a, b, c, got x');
    expect(() => fakes.attacher('x')).toThrow(`Expected a driver among ${DRIVER}, got x`);
  });

  it('run on compressed times', async () => {
    fakes[Symbol.dispose]();
    fakes = startFakeControllers(test.sim, {
      drivers: [DRIVER],
      times: {
        attachMs: 50,
        detachMs: 50,
        forceDetachMs: 3_600,
        syncPeriodMs: 600,
        attachDetachLoopMs: 1,
        podGcPeriodMs: 200,
        podGcQuarantineMs: 400,
        nodeGraceMs: 500,
        nodeMonitorPeriodMs: 50,
        evictAfterMs: 3_000,
        leaseIntervalMs: 100,
        nodeStatusIntervalMs: 100,
      },
    });
    await test.clock.advance(1_000);
    fakes.kubelet('a').stop();
    await test.clock.advance(600);
    test.sim.store.delete('Node', 'a');
    const waitMs = await test.until(() => isRunningOn('b'), 6_000, 10);
    expect(waitMs).toBeGreaterThan(4_000);
  });
});
