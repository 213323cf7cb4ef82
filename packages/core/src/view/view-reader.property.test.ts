import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OUT_OF_SERVICE_TAINT } from '../model/out-of-service.ts';
import {
  nodeFact,
  persistentVolumeFact,
  TEST_ATTACHER,
  volumeAttachmentFact,
} from '../testing/fact-builders.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FakeClusterReader } from '../testing/fake-cluster-reader.ts';
import { FakeStorageBackend, fakeFleet } from '../testing/fake-storage-backend.ts';
import { testPolicy } from '../testing/policy-builder.ts';
import { AttachmentManager } from '../tracking/attachment-manager.ts';
import { readClusterView } from './cluster-view.ts';
import { NodeAbsence } from './node-absence.ts';
import { ViewReader } from './view-reader.ts';

const index = fc.integer({ min: 0, max: 3 });
const TAINT = { key: OUT_OF_SERVICE_TAINT, value: TEST_ATTACHER, effect: 'NoExecute' };

/** What a watch or a relist can do to the caches between two passes, and what passes without any event. */
const event = fc.oneof(
  fc.record({
    kind: fc.constant('node' as const),
    index,
    ready: fc.boolean(),
    dated: fc.boolean(),
    tainted: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('node-deleted' as const), index, forgotten: fc.boolean() }),
  fc.record({
    kind: fc.constant('attachment' as const),
    index,
    volume: index,
    attacher: fc.constantFrom(TEST_ATTACHER, TEST_ATTACHER, 'other.example'),
  }),
  fc.record({ kind: fc.constant('attachment-deleted' as const), index, volume: index }),
  fc.record({ kind: fc.constant('volume' as const), index, shared: fc.boolean() }),
  fc.record({ kind: fc.constant('volume-deleted' as const), index }),
  fc.record({ kind: fc.constant('synced' as const), synced: fc.boolean() }),
  fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: -10_000, max: 60_000 }) }),
  fc.record({ kind: fc.constant('lease' as const), index, ageMs: fc.integer({ min: 0, max: 40_000 }) }),
  fc.constant({ kind: 'relist' as const }),
);
type CacheEvent = typeof event extends fc.Arbitrary<infer E> ? E : never;

function apply(cluster: FakeClusterReader, each: CacheEvent, nowMs: number): void {
  if (each.kind === 'node')
    cluster.setNode(
      nodeFact({
        name: `node-${each.index}`,
        ready: each.ready,
        readyObservedAtMs: each.dated ? nowMs - 1_000 : undefined,
        taints: each.tainted ? [TAINT] : [],
      }),
    );
  if (each.kind === 'node-deleted') cluster.removeNode(`node-${each.index}`, each);
  if (each.kind === 'attachment') {
    const names = { nodeName: `node-${each.index}`, persistentVolumeName: `pv-${each.volume}` };
    cluster.setVolumeAttachment(volumeAttachmentFact({ ...names, attacher: each.attacher }));
  }
  if (each.kind === 'attachment-deleted')
    cluster.removeVolumeAttachment(`va-pv-${each.volume}-node-${each.index}`);
  if (each.kind === 'volume') {
    const accessModes = [each.shared ? 'ReadWriteMany' : 'ReadWriteOnce'];
    cluster.setPersistentVolume(persistentVolumeFact({ name: `pv-${each.index}`, accessModes }));
  }
  if (each.kind === 'volume-deleted') cluster.removePersistentVolume(`pv-${each.index}`);
  if (each.kind === 'synced') cluster.synced = each.synced;
  if (each.kind === 'lease')
    cluster.setNodeLease({
      nodeName: `node-${each.index}`,
      uid: `uid-of-lease-${each.index}`,
      renewTime: 'renewed',
      observedAtMs: nowMs - each.ageMs,
    });
  // A relist after a gap shows every object again, as another object with the same content.
  if (each.kind === 'relist') for (const node of cluster.nodes()) cluster.setNode({ ...node });
}

describe('ViewReader', () => {
  it('reads after any sequence of events what a view read from scratch shows', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(event, { maxLength: 3 }), { maxLength: 12 }),
        fc.boolean(),
        (passes, early) => {
          const clock = new FakeClock();
          const cluster = new FakeClusterReader(clock);
          const absence = new NodeAbsence();
          const manager = new AttachmentManager({ clock });
          const policy = testPolicy({ earlyDetection: { enabled: early, leaseStaleMs: 20_000 } });
          const fleet = fakeFleet(new FakeStorageBackend(clock));
          const sources = { cluster, manager, absence, fleet, policy };
          const reader = new ViewReader();
          let nowMs = clock.now();
          for (const events of passes) {
            for (const each of events) {
              if (each.kind === 'time') nowMs += each.ms;
              apply(cluster, each, nowMs);
            }
            const { view } = reader.read(sources, cluster.revisions(), nowMs, false);
            expect(view).toEqual(readClusterView(sources, nowMs, 'affected'));
            expect(reader.read(sources, cluster.revisions(), nowMs, true).difference).toBeUndefined();
            absence.recordView(view.nodes, cluster.synced, nowMs);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('reports a cache whose revision missed a change, and reads what the cache holds', () => {
    const clock = new FakeClock();
    const cluster = new FakeClusterReader(clock);
    cluster.setNode(nodeFact());
    cluster.setVolumeAttachment(volumeAttachmentFact());
    const sources = {
      cluster,
      manager: new AttachmentManager({ clock }),
      absence: new NodeAbsence(),
      fleet: fakeFleet(new FakeStorageBackend(clock)),
      policy: testPolicy(),
    };
    const reader = new ViewReader();
    const revisions = cluster.revisions();
    reader.read(sources, revisions, clock.now(), false);
    cluster.setNode(nodeFact({ ready: false }));
    const audited = reader.read(sources, revisions, clock.now(), true);
    expect(audited.difference).toBe('node node-a is not-ready in the caches and ready in the kept view');
    expect(audited.view.storageNodes.has('node-a')).toBe(true);
    expect(reader.read(sources, revisions, clock.now(), true).difference).toBeUndefined();
  });
});
