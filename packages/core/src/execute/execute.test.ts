import { describe, expect, it } from 'vitest';
import { fenceAt, PassFixture } from '../../test/pass-fixture.ts';
import { CoreError } from '../model/errors.ts';
import { ipAddresses } from '../model/storage-address.ts';
import { nodeFact, podFact, TEST_ATTACHER } from '../testing/fact-builders.ts';
import { settle } from '../testing/fake-clock.ts';
import { FakeStorageBackend, fakeFleet } from '../testing/fake-storage-backend.ts';
import { DeletedPods } from './deleted-pods.ts';
import { DetachRequests } from './detach-requests.ts';
import { execute } from './execute.ts';
import type { NodeWork } from './node-plan.ts';
import { ReleaseVerdicts } from './release-verdicts.ts';
import { WorkInFlight } from './work-in-flight.ts';

/** The detach is sent, and its outcome stays unknown. */
function unanswered(f: PassFixture): void {
  f.actions.before = ({ kind }) => {
    if (kind === 'removeVolumesInUse') throw new CoreError('STORE_FAILED', 'unknown', 'no answer');
  };
}

const RELEASE = ['forceDeletePod pod-a', 'removeVolumesInUse node-a'];

describe('execute', () => {
  describe('releasing', () => {
    it('deletes pods first, then lets the volumes go', async () => {
      const f = new PassFixture();
      await f.run();
      expect(f.writes).toEqual(RELEASE);
      expect(f.effects).toEqual(['pod-deleted', 'detach-requested']);
    });

    it('touches only pods on the node that use a volume to be released', async () => {
      const f = new PassFixture();
      f.cluster.setPod(podFact({ name: 'bystander', claimNames: ['other-claim'] }));
      f.cluster.setPod(podFact({ name: 'namesake', namespace: 'elsewhere' }));
      f.cluster.setPod(podFact({ name: 'neighbour', nodeName: 'node-b' }));
      await f.run();
      expect(f.writes).toEqual(RELEASE);
    });

    it('lets no volume go whose pod could not be deleted, but others', async () => {
      const f = new PassFixture({ strategy: 'delete' });
      f.attach('pv-b', 'node-a', 'pod-b');
      f.actions.before = (call) => {
        if (call.kind === 'forceDeletePod' && call.name === 'pod-a') throw new Error('refused');
      };
      await f.run();
      expect(f.writes).toEqual([
        'forceDeletePod pod-a',
        'forceDeletePod pod-b',
        'deleteVolumeAttachment va-pv-b-node-a',
      ]);
      expect(f.effects).toEqual(['failed', 'pod-deleted', 'detach-requested']);
    });

    it('takes all volumes of the node out of volumesInUse with one write', async () => {
      const f = new PassFixture();
      f.attach('pv-b', 'node-a', 'pod-b');
      await f.run();
      const patches = f.actions.calls.filter(({ kind }) => kind === 'removeVolumesInUse');
      expect(patches).toEqual([
        { kind: 'removeVolumesInUse', name: 'node-a', volumeHandles: ['handle-of-pv-a', 'handle-of-pv-b'] },
      ]);
    });

    it.each([
      ['auto', 'removeVolumesInUse node-a'],
      ['in-use', 'removeVolumesInUse node-a'],
      ['delete', 'deleteVolumeAttachment va-pv-a-node-a'],
      ['out-of-service', 'addOutOfServiceTaint node-a'],
    ] as const)('uses the strategy %s', async (strategy, write) => {
      const f = new PassFixture({ strategy });
      await f.run();
      expect(f.writes).toEqual(['forceDeletePod pod-a', write]);
    });

    it.each(['auto', 'in-use', 'out-of-service'] as const)(
      'deletes under strategy %s when the Node is gone',
      async (strategy) => {
        const f = new PassFixture({ strategy });
        f.removeNode('node-a');
        await f.run();
        await f.clock.advance(30_000);
        await f.run();
        expect(f.writes).toEqual(['forceDeletePod pod-a', 'deleteVolumeAttachment va-pv-a-node-a']);
      },
    );

    it('falls back to delete when a detach has had no effect for the time-out', async () => {
      const f = new PassFixture({ detachTimeoutMs: 4_000 });
      await f.runFor(3);
      const last = f.writes.at(-1);
      expect([f.writes.includes('deleteVolumeAttachment va-pv-a-node-a'), last]).toEqual([
        true,
        'deleteVolumeAttachment va-pv-a-node-a',
      ]);
      expect(f.writes.filter((write) => write.startsWith('removeVolumesInUse'))).toHaveLength(2);
    });

    it('says what failed, and lets the other volumes go', async () => {
      const f = new PassFixture({ strategy: 'delete' });
      f.attach('pv-b', 'node-a', 'pod-b');
      const err = new Error('refused');
      f.actions.before = ({ name }) => {
        if (name === 'va-pv-a-node-a') throw err;
      };
      await f.run();
      expect(f.effects).toEqual(['pod-deleted', 'pod-deleted', 'failed', 'detach-requested']);
      expect(f.report.effects[2]).toMatchObject({
        step: 'detach',
        err,
        decisions: [{ attachment: { name: 'va-pv-a-node-a' } }],
      });
    });

    it('reports a release once, and that it waits after that', async () => {
      const f = new PassFixture();
      await f.run();
      f.actions.setChangeResult('node-a', 'unchanged');
      await f.run();
      expect(f.effects).toContain('detaching');
    });

    describe('a detach without an answer', () => {
      it('is a release when the next pass finds it done', async () => {
        const f = new PassFixture();
        unanswered(f);
        await f.run();
        expect(f.effects).toEqual(['pod-deleted', 'failed']);
        f.actions.before = () => undefined;
        f.actions.setChangeResult('node-a', 'unchanged');
        await f.run();
        expect(f.effects).toContain('detach-requested');
        await f.run();
        expect(f.effects).toContain('detaching');
      });

      it('is a release when the attachment is gone by then', async () => {
        const f = new PassFixture();
        unanswered(f);
        await f.run();
        f.cluster.removeVolumeAttachment('va-pv-a-node-a');
        await f.run();
        await f.run();
        expect(f.reports.map(({ effects }) => effects.map(({ kind }) => kind))).toEqual([
          ['pod-deleted', 'failed'],
          ['detach-requested'],
          [],
        ]);
      });

      it('is none when the node came back instead', async () => {
        const f = new PassFixture();
        unanswered(f);
        await f.run();
        f.setNode(nodeFact({ bootId: 'next' }));
        await f.run();
        f.cluster.removeVolumeAttachment('va-pv-a-node-a');
        await f.run();
        expect(f.reports.flatMap(({ effects }) => effects.map(({ kind }) => kind))).not.toContain(
          'detach-requested',
        );
      });
    });

    it.each(['gone', 'replaced'] as const)('takes an attachment that is %s for a fact', async (result) => {
      const f = new PassFixture({ strategy: 'delete' });
      f.actions.setDeleteResult('va-pv-a-node-a', result);
      await f.run();
      expect(f.effects).toEqual(['pod-deleted', result === 'gone' ? 'detaching' : 'superseded']);
    });
  });

  describe('confirmation', () => {
    /** Each write is preceded by a live GET of the Node of its own. */
    it('looks at the Node before every write', async () => {
      const f = new PassFixture({ strategy: 'delete' });
      await f.run();
      expect(f.actions.calls.map(({ kind }) => kind)).toEqual([
        'getNode',
        'forceDeletePod',
        'getNode',
        'deleteVolumeAttachment',
      ]);
    });

    it.each<[string, (f: PassFixture) => void]>([
      ['is ready again', (f) => f.actions.setNode(nodeFact())],
      ['was created again', (f) => f.actions.setNode({ ...f.lost, uid: 'other' })],
      ['was deleted since', (f) => f.actions.removeNode('node-a')],
    ])('writes nothing when the Node %s', async (_situation, change) => {
      const f = new PassFixture();
      change(f);
      await f.run();
      expect(f.writes).toEqual([]);
      expect(f.effects).toEqual(['superseded']);
    });

    it('writes nothing when a Node that was gone exists again', async () => {
      const f = new PassFixture();
      f.cluster.removeNode('node-a');
      await f.run();
      await f.clock.advance(30_000);
      await f.run();
      expect(f.effects).toEqual(['superseded']);
      expect(f.writes).toEqual([]);
    });

    it('stops between two writes when the Node comes back', async () => {
      const f = new PassFixture();
      f.actions.before = ({ kind }) => {
        if (kind === 'forceDeletePod') f.actions.setNode(nodeFact());
      };
      await f.run();
      expect(f.writes).toEqual(['forceDeletePod pod-a']);
      expect(f.effects).toEqual(['pod-deleted', 'superseded']);
    });

    it('writes nothing when the live Node cannot be read', async () => {
      const f = new PassFixture();
      f.actions.before = ({ kind }) => {
        if (kind === 'getNode') throw new Error('no answer');
      };
      await f.run();
      expect(f.writes).toEqual([]);
      expect(f.effects).toEqual(['failed']);
    });
  });

  describe('leadership', () => {
    it.each(['in-use', 'delete', 'out-of-service'] as const)(
      'is asked twice before every write of strategy %s, and nothing is written after it is lost',
      async (strategy) => {
        const undisturbed = new PassFixture({ strategy });
        await undisturbed.run();
        const all = undisturbed.writes;
        expect(all).toHaveLength(2);
        for (let checks = 0; checks < 2 * all.length; checks++) {
          const f = new PassFixture({ strategy });
          let left = checks;
          f.assertHeld = () => {
            if (left-- <= 0) throw new Error('not the leader');
          };
          await f.run();
          expect(f.writes, `lost after ${checks} checks`).toEqual(all.slice(0, Math.floor(checks / 2)));
          expect(f.effects).toContain('failed');
        }
      },
    );

    it('is asked before and after the live GET that precedes a fence', async () => {
      for (const checks of [0, 1]) {
        const f = PassFixture.unfenced();
        let left = checks;
        f.assertHeld = () => {
          if (left-- <= 0) throw new Error('not the leader');
        };
        await f.run();
        expect([f.backend.calls, f.effects]).toEqual([[], ['failed']]);
      }
    });

    it('is asked again after the live GET, which may have taken long', async () => {
      const f = new PassFixture();
      f.actions.before = ({ kind }) => {
        if (kind !== 'getNode') return;
        f.assertHeld = () => {
          throw new Error('not the leader');
        };
      };
      await f.run();
      expect(f.writes).toEqual([]);
    });
  });

  describe('fencing', () => {
    it('cuts off all addresses of the node under one identity', async () => {
      const f = PassFixture.unfenced();
      f.setNode({ ...f.lost, storageAddresses: ['10.0.0.1', '10.0.0.2'] });
      await f.run();
      const fence = {
        id: 'fence-1',
        owner: TEST_ATTACHER,
        nodeName: 'node-a',
        nodeUid: 'uid-of-node-a',
        bootId: 'boot-of-node-a',
        machineId: 'machine-of-node-a',
        addresses: ipAddresses(['10.0.0.1', '10.0.0.2']),
        fencedAtMs: f.clock.now(),
      };
      expect(f.backend.calls).toEqual([{ kind: 'fence', fence, addresses: ['10.0.0.1', '10.0.0.2'] }]);
      expect([f.writes, f.effects]).toEqual([[], ['fenced']]);
    });

    it('fences a node once, whatever number of its volumes are at the backend', async () => {
      const f = PassFixture.unfenced();
      f.attach('pv-b', 'node-a', 'pod-b');
      await f.run();
      expect(f.backend.calls).toHaveLength(1);
    });

    it('fences a node once at each backend, whatever order the decisions come in', async () => {
      const { f, backendB, run } = fencedTwice();
      expect(await run()).toEqual(['fenced', 'fenced']);
      expect(f.backend.calls).toMatchObject([{ kind: 'fence', fence: { id: 'again-1' } }]);
      expect(backendB.calls).toMatchObject([{ kind: 'fence', fence: { id: 'again-2' } }]);
    });

    it('does not let a backend that refuses keep the node from being fenced at another', async () => {
      const { f, backendB, run } = fencedTwice();
      f.backend.beforeChange = () => {
        throw new Error('refused');
      };
      expect(await run()).toEqual(['failed', 'fenced']);
      expect(backendB.fences.size).toBe(1);
    });

    it('names no uid and no boot of a Node that is gone and forgotten', async () => {
      const f = PassFixture.unfenced();
      f.cluster.removeNode('node-a', { forgotten: true });
      f.actions.removeNode('node-a');
      await f.run();
      await f.clock.advance(30_000);
      await f.run();
      const fence = {
        id: 'fence-1',
        owner: TEST_ATTACHER,
        nodeName: 'node-a',
        addresses: ipAddresses(['address-of-node-a']),
        fencedAtMs: f.clock.now(),
      };
      expect(f.backend.calls).toEqual([{ kind: 'fence', fence, addresses: ['address-of-node-a'] }]);
    });

    it('completes a fence of this boot under its own id', async () => {
      const f = PassFixture.unfenced();
      f.setNode({ ...f.lost, storageAddresses: ['10.0.0.1', '10.0.0.2'] });
      const half = { id: 'half', nodeName: 'node-a', bootId: 'boot-of-node-a', fencedAtMs: 0 };
      f.backend.fences.set('half', { ...half, addresses: ['10.0.0.1'], seenSinceMs: 0 });
      await f.run();
      expect(f.backend.calls).toMatchObject([{ fence: { id: 'half' }, addresses: ['10.0.0.1', '10.0.0.2'] }]);
    });

    it('reads the Node first, and does not fence one that is back', async () => {
      const f = PassFixture.unfenced();
      f.actions.setNode(nodeFact());
      await f.run();
      expect([f.backend.calls, f.effects]).toEqual([[], ['superseded']]);
    });

    it('releases nothing when the backend refuses', async () => {
      const f = PassFixture.unfenced();
      f.backend.beforeChange = () => {
        throw new Error('refused');
      };
      await f.runFor(3);
      expect([f.writes, f.effects]).toEqual([[], ['failed']]);
    });

    it('does not cut off a volume that is in a live migration', async () => {
      const f = PassFixture.unfenced();
      f.attach('pv-b', 'node-a', 'pod-b');
      f.cluster.setClaimMigrating('default', 'claim-of-pv-b');
      f.backend.setLive('node-a');
      await f.run();
      expect([f.backend.calls, f.effects]).toEqual([[], ['postponed']]);
    });

    it('cuts off a volume whose migration cannot finish, because the node is silent', async () => {
      const f = PassFixture.unfenced();
      f.attach('pv-b', 'node-a', 'pod-b');
      f.cluster.setClaimMigrating('default', 'claim-of-pv-b');
      await f.run();
      expect(f.effects).toEqual(['fenced']);
    });
  });

  it('does not let one hanging node delay another', async () => {
    const f = new PassFixture({
      strategy: 'delete',
      breaker: { maxNodes: 9, maxFraction: 1, maxNodesPerWindow: 9, windowMs: 1 },
    });
    const { readyObservedAtMs, taints } = f.lost;
    f.setNode(nodeFact({ name: 'node-b', ready: false, readyObservedAtMs, taints }));
    f.attach('pv-b', 'node-b', 'pod-b');
    f.backend.setSilent('node-b', f.lostSinceMs + 15_000);
    fenceAt(f.backend, f.lostSinceMs, 'node-b');
    const hang = Promise.withResolvers<void>();
    f.actions.before = ({ name }) => (name === 'node-a' ? hang.promise : undefined);
    const run = f.run();
    await settle();
    expect(f.writes).toEqual(['forceDeletePod pod-b', 'deleteVolumeAttachment va-pv-b-node-b']);
    hang.resolve();
    await run;
    expect(f.writes).toContain('forceDeletePod pod-a');
  });

  it.each([0, 1, 2, 3])(
    'rejects with the reason of an abort during call %i, and makes no call after it',
    async (abortedCall) => {
      const f = new PassFixture();
      f.actions.before = () => {
        if (f.actions.calls.length === abortedCall + 1) f.abort.abort(new Error('shutting down'));
      };
      await expect(f.run()).rejects.toThrow('shutting down');
      expect(f.actions.calls).toHaveLength(abortedCall + 1);
    },
  );
});

/** What `run` carries out: fences of `node-a`, decided for two volumes at `backend-a` and one at `backend-b` between them. */
function fencedTwice() {
  const f = PassFixture.unfenced();
  const backendB = new FakeStorageBackend(f.clock, 'backend-b');
  backendB.setSilent('node-a', f.lostSinceMs + 15_000, f.lostSinceMs);
  const both = PassFixture.unfenced({}, { fleet: fakeFleet(f.backend, backendB), cluster: f.cluster });
  f.attach('pv-b', 'node-a', 'pod-b', { address: 'backend-b' });
  f.attach('pv-c', 'node-a', 'pod-c');
  const run = async () => {
    await both.run();
    for (const backend of [f.backend, backendB]) {
      backend.calls.length = 0;
      backend.fences.clear();
    }
    const [a, c, b] = both.report.decisions;
    let count = 0;
    const inFlight: NodeWork = new WorkInFlight();
    const ports = {
      cluster: f.cluster,
      actions: f.actions,
      leadership: { assertHeld: () => undefined },
      clock: f.clock,
      fences: [],
      inFlight,
      storageNodes: new Map(),
      requests: new DetachRequests(),
      deletedPods: new DeletedPods(),
      progress: { beginRelease: () => undefined },
      attachments: [],
      verdicts: new ReleaseVerdicts(),
      newFenceId: () => `again-${++count}`,
      policy: both.policy,
    };
    const decisions = [a, b, c].filter((decision) => decision !== undefined);
    expect(decisions.map(({ verdict, volume }) => [verdict.kind, volume?.name])).toEqual([
      ['fence', 'pv-a'],
      ['fence', 'pv-b'],
      ['fence', 'pv-c'],
    ]);
    expect(execute(decisions, f.clock.now(), ports, f.abort.signal).isAllStarted).toBe(true);
    await inFlight.settled();
    return inFlight.take().results.flatMap((effects) => effects.map(({ kind }) => kind));
  };
  return { f, backendB, run };
}
