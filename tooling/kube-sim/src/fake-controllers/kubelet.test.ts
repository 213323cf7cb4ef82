import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attachmentManifest, NODE_LEASE_NAMESPACE } from '../manifests.ts';
import { Kubelet } from './kubelet.ts';
import { isReady } from './node-state.ts';
import { DRIVER, IN_USE, TestCluster, VOLUME } from './test-cluster.test-support.ts';

describe('Kubelet', () => {
  let test: TestCluster;
  let kubelet: Kubelet;
  let calls: string[];
  /** Whether dirty pages can be flushed. */
  let canFlush: boolean;

  beforeEach(async () => {
    test = await TestCluster.start();
    test.sim.addNode({ name: 'a', internalIP: '10.0.0.1', labels: { role: 'db' } });
    test.sim.addVolume(VOLUME);
    calls = [];
    canFlush = true;
    kubelet = new Kubelet(test.sim, {
      nodeName: 'a',
      hooks: {
        onMount: (...volume) => void calls.push(`mount ${volume.join(' ')}`),
        onUnmount: (...volume) => {
          calls.push(`unmount ${volume.join(' ')}`);
          return canFlush;
        },
      },
    });
  });
  afterEach(async () => {
    kubelet[Symbol.dispose]();
    await test[Symbol.asyncDispose]();
  });

  const node = () => test.sim.store.get('Node', 'a');
  const renewTime = () => test.sim.store.get('Lease', 'a', NODE_LEASE_NAMESPACE)?.spec?.renewTime;
  const addPod = (name = 'db-0') =>
    test.sim.addPod({ name, nodeName: 'a', claims: ['data-db-0'], phase: 'Pending' });

  async function attach(): Promise<void> {
    const volume = { attacher: DRIVER, persistentVolume: 'pv-0', volumeHandle: 'h0' };
    test.sim.store.create(attachmentManifest({ ...volume, nodeName: 'a' }));
    const volumesAttached = [{ name: IN_USE, devicePath: '' }];
    test.sim.store.patch('Node', 'a', { status: { volumesAttached } });
    await test.clock.advance(0);
  }

  async function runPod(): Promise<void> {
    kubelet.start();
    addPod();
    await attach();
    expect(test.pod()?.status?.phase).toBe('Running');
  }

  it('renews its Lease every 10 s and nothing else while nothing changes', async () => {
    kubelet.start();
    await test.clock.advance(0);
    const { resourceVersion } = node()?.metadata ?? {};
    await test.clock.advance(30_000);
    expect(renewTime()).toBe('2026-01-01T00:00:30.000000Z');
    expect(node()?.metadata.resourceVersion).toBe(resourceVersion);
  });

  it('runs a pod once its volume is attached and listed', async () => {
    kubelet.start();
    addPod();
    await test.clock.advance(60_000);
    expect([test.pod()?.status?.phase, calls]).toEqual(['Pending', []]);
    expect(node()?.status?.volumesInUse).toEqual([IN_USE]);
    await attach();
    expect(test.pod()?.status).toMatchObject({ phase: 'Running', hostIP: '10.0.0.1' });
    expect(calls).toEqual(['mount pv-0 h0']);
  });

  it.each(['the list of the node', 'the VolumeAttachment'])('does not run a pod without %s', async (part) => {
    kubelet.start();
    addPod();
    await test.clock.advance(0);
    await attach();
    addPod('db-1');
    await test.clock.advance(0);
    expect(test.pod('db-1')?.status?.phase).toBe('Running');
    test.forceDelete('db-0');
    test.forceDelete('db-1');
    await test.clock.advance(0);
    const [attachment] = test.sim.store.list('VolumeAttachment');
    if (part === 'the VolumeAttachment') {
      test.sim.store.patch('VolumeAttachment', attachment?.metadata.name ?? '', {
        status: { attached: false },
      });
    } else test.sim.store.patch('Node', 'a', { status: { volumesAttached: [] } });
    addPod('db-2');
    await test.clock.advance(60_000);
    expect(test.pod('db-2')?.status?.phase).toBe('Pending');
  });

  it('mounts a volume once for two pods and unmounts it after the last', async () => {
    await runPod();
    addPod('db-1');
    test.forceDelete('db-0');
    await test.clock.advance(0);
    expect([calls, kubelet.mounted]).toEqual([['mount pv-0 h0'], ['pv-0']]);
    test.forceDelete('db-1');
    await test.clock.advance(0);
    expect(calls).toEqual(['mount pv-0 h0', 'unmount pv-0 h0']);
    expect(node()?.status?.volumesInUse).toEqual([]);
  });

  it('ends a Terminating pod when its grace is over', async () => {
    await runPod();
    test.sim.store.delete('Pod', 'db-0');
    await test.clock.advance(29_000);
    expect([test.pod()?.metadata.name, kubelet.mounted]).toEqual(['db-0', ['pv-0']]);
    await test.clock.advance(1_000);
    expect([test.pod(), kubelet.mounted]).toEqual([undefined, []]);
  });

  it('reports that the container of a pod runs', async () => {
    await runPod();
    expect(test.pod()?.status?.containerStatuses).toEqual([{ name: 'main', state: { running: {} } }]);
  });

  it('keeps a Terminating pod, its volume mounted and in use until dirty pages are flushed', async () => {
    await runPod();
    canFlush = false;
    test.sim.store.delete('Pod', 'db-0', 'default', { gracePeriodSeconds: 5 });
    await test.clock.advance(60_000);
    expect(test.pod()?.status?.containerStatuses).toMatchObject([
      { state: { terminated: { exitCode: 137 } } },
    ]);
    expect([kubelet.mounted, node()?.status?.volumesInUse]).toEqual([['pv-0'], [IN_USE]]);
    canFlush = true;
    await test.clock.advance(1_000);
    expect(test.pod()).toBeUndefined();
    expect([kubelet.mounted, node()?.status?.volumesInUse]).toEqual([[], []]);
  });

  it('keeps a volume in use whose pod was deleted by force while it cannot be flushed', async () => {
    await runPod();
    canFlush = false;
    test.forceDelete();
    await test.clock.advance(30_000);
    expect([kubelet.mounted, node()?.status?.volumesInUse]).toEqual([['pv-0'], [IN_USE]]);
  });

  it('loses dirty pages at a reboot', async () => {
    await runPod();
    canFlush = false;
    kubelet.stop();
    test.forceDelete();
    kubelet.start({ rebooted: true });
    expect(kubelet.mounted).toEqual([]);
  });

  it('ends a pod that has a finalizer, whose object stays', async () => {
    kubelet.start();
    test.sim.addPod({
      name: 'db-0',
      nodeName: 'a',
      claims: ['data-db-0'],
      phase: 'Pending',
      finalizers: ['test/keep'],
    });
    await attach();
    test.sim.store.delete('Pod', 'db-0', 'default', { gracePeriodSeconds: 1 });
    await test.clock.advance(10_000);
    expect(test.pod()).toMatchObject({
      metadata: { finalizers: ['test/keep'] },
      status: { containerStatuses: [{ state: { terminated: {} } }] },
    });
    expect(kubelet.mounted).toEqual([]);
    test.sim.store.patch('Pod', 'db-0', { metadata: { finalizers: [] } }, 'default');
    await test.clock.advance(10_000);
    expect(test.pod()).toBeUndefined();
  });

  it('restores a volumesInUse entry that others removed, when it next posts its status', async () => {
    await runPod();
    test.sim.store.patch('Node', 'a', { status: { volumesInUse: [] } });
    await test.clock.advance(9_000);
    expect(node()?.status?.volumesInUse).toEqual([]);
    await test.clock.advance(1_000);
    expect(node()?.status?.volumesInUse).toEqual([IN_USE]);
  });

  it('writes nothing while it is stopped, and stays mounted', async () => {
    await runPod();
    kubelet.stop();
    const { resourceVersion } = test.sim.store;
    test.sim.store.delete('Pod', 'db-0');
    await test.clock.advance(3_600_000);
    expect(test.sim.store.resourceVersion).toBe(resourceVersion + 1);
    expect([kubelet.isRunning, kubelet.mounted, calls]).toEqual([false, ['pv-0'], ['mount pv-0 h0']]);
  });

  it('kills a pod whose object is gone when it comes back, and says Ready again', async () => {
    await runPod();
    kubelet.stop();
    test.forceDelete();
    test.sim.store.patch('Node', 'a', { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } });
    await test.clock.advance(60_000);
    expect(calls).toHaveLength(1);
    kubelet.start();
    await test.clock.advance(0);
    expect(calls).toEqual(['mount pv-0 h0', 'unmount pv-0 h0']);
    expect(node()?.status).toMatchObject({
      volumesInUse: [],
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:01:00Z' }],
      nodeInfo: { bootID: 'boot-a-1' },
    });
  });

  it('has another bootID and nothing mounted after a reboot, and mounts again', async () => {
    await runPod();
    kubelet.stop();
    kubelet.start({ rebooted: true });
    expect(calls).toEqual(['mount pv-0 h0', 'unmount pv-0 h0']);
    await test.clock.advance(0);
    expect(calls).toEqual(['mount pv-0 h0', 'unmount pv-0 h0', 'mount pv-0 h0']);
    expect(node()?.status?.nodeInfo).toMatchObject({ bootID: 'boot-a-2', kubeletVersion: 'v1.36.0' });
  });

  it('registers a deleted Node again, with another uid and the same addresses, only at a start', async () => {
    kubelet.start();
    await test.clock.advance(10_000);
    const { uid } = node()?.metadata ?? {};
    test.sim.store.delete('Node', 'a');
    await test.clock.advance(60_000);
    expect(node()).toBeUndefined();
    kubelet.stop();
    kubelet.start();
    expect(isReady(node())).toBe(true);
    expect(node()?.metadata).toMatchObject({ labels: { role: 'db' } });
    expect(node()?.metadata.uid).not.toBe(uid);
    expect(node()?.status?.addresses).toContainEqual({ type: 'InternalIP', address: '10.0.0.1' });
  });
});
