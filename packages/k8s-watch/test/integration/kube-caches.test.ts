import assert from 'node:assert/strict';
import type { ReconcileAction, TriggerReason } from '@reattach/core';
import { apiPaths } from '@reattach/k8s-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AttachmentWatcher } from '../../src/attachment-watcher.ts';
import { KubeCaches, type KubeCachesOptions } from '../../src/kube-caches.ts';
import { MIGRATIONS_PATH } from '../../src/live-migration.ts';
import { NodeWatcher } from '../../src/node-watcher.ts';
import { KubeWorld, until } from '../kube-world.ts';

const DRIVER = 'rds.csi.srvlab.io';

describe('KubeCaches', () => {
  let world: KubeWorld;
  let caches: KubeCaches;

  beforeEach(async () => {
    world = await KubeWorld.start();
    world.sim.addNode({ name: 'node-a', internalIP: '10.0.0.1' });
    world.sim.addNode({ name: 'node-b', internalIP: '10.0.0.2' });
    world.sim.addVolume({ name: 'pv-a', claim: 'web/data-0', handle: 'h-a', driver: DRIVER });
    world.sim.addAttachment({ name: 'va-a', nodeName: 'node-a', persistentVolume: 'pv-a' });
    world.sim.addPod({ name: 'web-0', namespace: 'web', nodeName: 'node-a', claims: ['data-0'] });
    world.sim.addPod({ name: 'pending', namespace: 'web', claims: ['data-0'] });
  });
  afterEach(async () => {
    await caches[Symbol.asyncDispose]();
    await until(() => world.sim.openWatches.length === 0);
    await world[Symbol.asyncDispose]();
    assert.equal(world.clock.pendingTimers, 0);
  });

  function create(options: Partial<KubeCachesOptions> = {}): KubeCaches {
    const { api, clock, logger } = world;
    caches = new KubeCaches({ api, clock, logger, streamingList: false, ...options });
    return caches;
  }
  async function startSynced(options: Partial<KubeCachesOptions> = {}): Promise<void> {
    create(options).start();
    await caches.waitForSync(AbortSignal.timeout(60_000));
    await until(() => world.sim.openWatches.length >= 4);
  }
  const renew = (name: string, renewTime: string) =>
    world.sim.store.patch('Lease', name, { spec: { renewTime } }, 'kube-node-lease');
  const setReady = (name: string, status: string) =>
    world.sim.store.patch('Node', name, { status: { conditions: [{ type: 'Ready', status }] } });

  describe('reading', () => {
    it('answers from the caches', async () => {
      await startSynced();
      expect(caches.node('node-a')).toMatchObject({ name: 'node-a', storageAddresses: ['10.0.0.1'] });
      expect(caches.node('node-x')).toBeUndefined();
      expect(namesOf(caches.nodes())).toEqual(['node-a', 'node-b']);
      expect(namesOf(caches.volumeAttachments())).toEqual(['va-a']);
      expect(namesOf(caches.volumeAttachmentsOnNode('node-a'))).toEqual(['va-a']);
      expect(namesOf(caches.volumeAttachmentsOnNode('node-b'))).toEqual([]);
      expect(caches.persistentVolume('pv-a')).toMatchObject({ volumeHandle: 'h-a' });
      expect(namesOf(caches.persistentVolumesOfClaim('web', 'data-0'))).toEqual(['pv-a']);
      expect(namesOf(caches.persistentVolumesOfClaim('other', 'data-0'))).toEqual([]);
      expect(namesOf(caches.podsUsingClaim('web', 'data-0'))).toEqual(['web-0']);
    });

    it('knows a pod by its node once it is bound', async () => {
      await startSynced();
      expect(namesOf(caches.podsOnNode('node-a'))).toEqual(['web-0']);
      world.sim.store.patch('Pod', 'pending', { spec: { nodeName: 'node-a' } }, 'web');
      await until(() => caches.podsOnNode('node-a').length === 2);
      expect(world.sim.requests.filter(({ path }) => path === apiPaths.pods)[0]?.query).toMatchObject({
        fieldSelector: 'spec.nodeName!=',
      });
    });

    it('finds the volume of a claim, not one that an earlier claim of the name released', async () => {
      world.sim.addVolume({ name: 'pv-old', handle: 'h-old', driver: DRIVER });
      const claimRef = { namespace: 'web', name: 'data-0', uid: 'uid-of-an-earlier-claim' };
      world.sim.store.patch('PersistentVolume', 'pv-old', { spec: { claimRef }, status: { phase: 'Bound' } });
      await startSynced();
      expect(namesOf(caches.persistentVolumesOfClaim('web', 'data-0'))).toEqual(['pv-a', 'pv-old']);
      world.sim.store.patch('PersistentVolume', 'pv-old', { status: { phase: 'Released' } });
      await until(() => caches.persistentVolumesOfClaim('web', 'data-0').length === 1);
      expect(namesOf(caches.persistentVolumesOfClaim('web', 'data-0'))).toEqual(['pv-a']);
    });

    it('keeps addresses that a Node no longer names', async () => {
      await startSynced();
      world.sim.store.patch('Node', 'node-a', { status: { addresses: [] } });
      await until(() => caches.node('node-a')?.formerAddresses !== undefined);
      expect(caches.node('node-a')?.storageAddresses).toEqual(['10.0.0.1']);
    });

    it('hands out what can be iterated again and again', async () => {
      await startSynced();
      const nodes = caches.nodes();
      expect([namesOf(nodes), namesOf(nodes)]).toEqual([
        ['node-a', 'node-b'],
        ['node-a', 'node-b'],
      ]);
    });
  });

  describe('lastSeenNode', () => {
    it('knows a deleted Node until it is back', async () => {
      await startSynced();
      expect(caches.lastSeenNode('node-a')).toBeUndefined();
      world.sim.store.delete('Node', 'node-a');
      await until(() => caches.node('node-a') === undefined);
      expect(caches.lastSeenNode('node-a')).toMatchObject({ storageAddresses: ['10.0.0.1'] });
      world.sim.store.delete('Lease', 'node-a', 'kube-node-lease');
      world.sim.addNode({ name: 'node-a' });
      await until(() => caches.node('node-a') !== undefined);
      expect(caches.lastSeenNode('node-a')).toBeUndefined();
    });

    it('knows a Node whose deletion only a relist showed', async () => {
      await startSynced();
      world.sim.faults.expireWatches({ path: apiPaths.nodes });
      world.sim.store.delete('Node', 'node-a');
      await world.advanceUntil(() => caches.node('node-a') === undefined);
      expect(caches.lastSeenNode('node-a')).toMatchObject({ name: 'node-a' });
    });
  });

  describe('nodeLease', () => {
    it('says when a renewal was first seen, by our clock', async () => {
      await startSynced({ watchLeases: true });
      await until(() => caches.nodeLease('node-a') !== undefined && world.sim.openWatches.length === 5);
      const first = caches.nodeLease('node-a');
      expect(first).toMatchObject({ nodeName: 'node-a', observedAtMs: world.clock.now() });
      await world.advance(10_000);
      renew('node-a', '2020-01-01T00:00:00.000000Z');
      await until(() => caches.nodeLease('node-a') !== first);
      expect(caches.nodeLease('node-a')).toMatchObject({
        renewTime: '2020-01-01T00:00:00.000000Z',
        observedAtMs: world.clock.now(),
      });
      expect(caches.nodeLease('node-b')?.observedAtMs).toBe(first?.observedAtMs);
      expect(caches.leasesFreshAsOfMs()).toBe(world.clock.now());
    });

    it('is absent, like its freshness, when Leases are not watched', async () => {
      await startSynced();
      expect(caches.nodeLease('node-a')).toBeUndefined();
      expect(caches.leasesFreshAsOfMs()).toBeUndefined();
      expect(world.sim.requests.some(({ path }) => path.includes('leases'))).toBe(false);
    });

    it('does not hold up the freshness of the rest', async () => {
      world.sim.faults.add(
        { path: apiPaths.leases('kube-node-lease') },
        { kind: 'status', status: 403 },
        Number.POSITIVE_INFINITY,
      );
      await startSynced({ watchLeases: true });
      expect(caches.freshness()).toMatchObject({ synced: true });
      expect(caches.leasesFreshAsOfMs()).toBe(0);
    });
  });

  describe('freshness', () => {
    it('is that of the oldest cache, and names it', async () => {
      await startSynced();
      expect(caches.freshness()).toMatchObject({ synced: true, freshAsOfMs: world.clock.now() });
      const syncedAtMs = world.clock.now();
      await world.advance(20_000);
      world.sim.addNode({ name: 'node-c' });
      world.sim.addVolume({ name: 'pv-c', handle: 'h-c', driver: DRIVER });
      world.sim.addAttachment({ name: 'va-c', nodeName: 'node-c', persistentVolume: 'pv-c' });
      await until(() => [...caches.volumeAttachments()].length === 2);
      const { freshAsOfMs, detail } = caches.freshness();
      expect(freshAsOfMs).toBe(syncedAtMs);
      expect(detail).toBe('oldest cache is pods, 20 s old');
    });

    it('is not synced until every cache is, and says what to grant', async () => {
      world.sim.faults.add(
        { path: apiPaths.volumeAttachments, watch: false },
        { kind: 'status', status: 403, reason: 'Forbidden', message: 'no' },
        Number.POSITIVE_INFINITY,
      );
      create();
      expect(caches.freshness()).toMatchObject({ synced: false, freshAsOfMs: 0 });
      caches.start();
      await until(() => caches.freshness().detail.includes('grant'));
      await until(() => !caches.freshness().detail.includes('nodes ('));
      expect(caches.freshness().detail).toContain(
        'volumeattachments (may not list volumeattachments: grant verb "list" on resource "volumeattachments" in API group "storage.k8s.io"',
      );
      world.sim.faults.clear();
      await world.advanceUntil(() => caches.freshness().synced);
      expect(caches.hasSynced).toBe(true);
    });

    it('says why a cache that has synced grows old', async () => {
      await startSynced();
      world.sim.faults.add(
        { path: apiPaths.pods },
        { kind: 'status', status: 500 },
        Number.POSITIVE_INFINITY,
      );
      world.sim.faults.endWatches({ path: apiPaths.pods });
      await world.advanceUntil(() => caches.freshness().detail.includes('HTTP 500'));
      expect(caches.freshness().detail).toMatch(/^oldest cache is \w+, \d+ s old; cannot watch pods: /);
    });

    it('does not need KubeVirt, but its permission where there is KubeVirt', async () => {
      await startSynced();
      await caches.stop();
      world.sim.faults.add(
        { path: MIGRATIONS_PATH },
        { kind: 'status', status: 403 },
        Number.POSITIVE_INFINITY,
      );
      create().start();
      await until(() => caches.freshness().detail.startsWith('not synced: virtualmachineinstancemigrations'));
      await caches.stop();
      await startSynced({ watchMigrations: false });
      expect(caches.freshness().synced).toBe(true);
    });
  });

  describe('isClaimMigrating', () => {
    it('is so while the VM of a pod that uses the claim migrates', async () => {
      await world[Symbol.asyncDispose]();
      world = await KubeWorld.start({ kubevirt: true });
      const { store } = world.sim;
      const owner = { kind: 'VirtualMachineInstance', name: 'db' };
      world.sim.addPod({
        name: 'virt-launcher-db-1',
        namespace: 'web',
        nodeName: 'node-a',
        claims: ['root'],
        owner,
      });
      world.sim.addPod({
        name: 'hp-volume-1',
        namespace: 'web',
        nodeName: 'node-a',
        claims: ['plugged'],
        owner: { kind: 'Pod', name: 'virt-launcher-db-1' },
      });
      await startSynced();
      const migrating = () =>
        ['root', 'plugged', 'data-0'].map((claim) => caches.isClaimMigrating('web', claim));
      expect(migrating()).toEqual([false, false, false]);
      const metadata = { namespace: 'web', name: 'move' };
      store.create({ kind: 'VirtualMachineInstanceMigration', metadata, spec: { vmiName: 'db' } });
      await until(() => caches.isClaimMigrating('web', 'root'));
      expect(migrating()).toEqual([true, true, false]);
      expect(caches.isClaimMigrating('other', 'root')).toBe(false);
      const done = { status: { phase: 'Succeeded' } };
      store.patch('VirtualMachineInstanceMigration', 'move', done, 'web');
      await until(() => !caches.isClaimMigrating('web', 'root'));
    });

    it('is false without KubeVirt and when migrations are not watched', async () => {
      await startSynced();
      expect(caches.isClaimMigrating('web', 'data-0')).toBe(false);
      await caches.stop();
      await startSynced({ watchMigrations: false });
      expect(caches.isClaimMigrating('web', 'data-0')).toBe(false);
    });
  });

  describe('with NodeWatcher and AttachmentWatcher', () => {
    let reasons: TriggerReason[];
    let actions: ReconcileAction[];

    async function startWatching(): Promise<void> {
      reasons = [];
      actions = [];
      const reconciler = { triggerReconcile: (reason: TriggerReason) => void reasons.push(reason) };
      create();
      const metrics = { recordAction: (action: ReconcileAction) => void actions.push(action) };
      caches.addNodeHandlers(new NodeWatcher(reconciler, metrics).getEventHandlers());
      const attachments = new AttachmentWatcher(reconciler, caches, DRIVER);
      caches.addVolumeAttachmentHandlers(attachments.getEventHandlers());
      caches.start();
      await caches.waitForSync(AbortSignal.timeout(60_000));
      await until(() => world.sim.openWatches.length === 4);
      expect(reasons).toEqual([]);
    }
    it('asks for a pass when a Node is lost', async () => {
      await startWatching();
      setReady('node-a', 'Unknown');
      world.sim.store.delete('Node', 'node-b');
      await until(() => reasons.length === 2);
      expect(reasons).toEqual(['node-not-ready', 'node-deleted']);
      expect(actions).toEqual(['node_watcher_trigger', 'node_watcher_trigger']);
    });

    it('finds what happened while the watch was down', async () => {
      await startWatching();
      world.sim.faults.expireWatches({ path: apiPaths.nodes });
      setReady('node-a', 'Unknown');
      world.sim.store.delete('Node', 'node-b');
      world.sim.store.delete('Lease', 'node-b', 'kube-node-lease');
      world.sim.addNode({ name: 'node-b' });
      world.sim.compact();
      await world.advanceUntil(() => reasons.length === 2);
      expect(reasons).toEqual(['node-not-ready', 'node-deleted']);
    });

    it('asks for a pass when an attachment appears for a lost Node', async () => {
      world.sim.addVolume({ name: 'pv-b', handle: 'h-b', driver: DRIVER });
      await startWatching();
      world.sim.addAttachment({ name: 'va-b', nodeName: 'node-b', persistentVolume: 'pv-b' });
      world.sim.addAttachment({ name: 'va-c', nodeName: 'node-gone', persistentVolume: 'pv-b' });
      await until(() => [...caches.volumeAttachments()].length === 3);
      expect(reasons).toEqual(['attachment-changed']);
    });
  });
});

function namesOf(objects: Iterable<{ readonly name: string }>): string[] {
  return [...objects].map(({ name }) => name).toSorted();
}
