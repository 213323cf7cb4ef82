import { ipAddresses, PassReporter, PlanPreview, type Policy } from '@reattach/core';
import {
  FakeClock,
  FakeClusterReader,
  FakeStorageBackend,
  fakeFleet,
  nodeFact,
  persistentVolumeFact,
  testPolicy,
  volumeAttachmentFact,
} from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { buildStateReport, type ReportContext } from './build-state-report.ts';
import { stateJson } from './state-routes.ts';

/** `node-a` has been NotReady for a minute and is silent; `node-b` to `node-e` are ready; each holds a volume. */
class Fixture {
  readonly clock = new FakeClock();
  readonly cluster = new FakeClusterReader(this.clock);
  readonly backend = new FakeStorageBackend(this.clock);
  readonly policy: Policy;
  readonly context: ReportContext;

  constructor(policy: Partial<Policy> = {}, context: Partial<ReportContext> = {}) {
    this.policy = testPolicy(policy);
    const { backend } = this;
    const backends = [
      {
        name: backend.name,
        health: () => ({ connected: true, detail: 'RouterOS 7.18' }),
        get lastReading() {
          return backend.lastReading;
        },
      },
    ];
    this.context = {
      version: '1.2.3',
      policy: this.policy,
      identity: 'me',
      leading: true,
      backends,
      ...context,
    };
    const lostSinceMs = this.clock.now() - 60_000;
    this.cluster.setNode(nodeFact({ ready: false, readyObservedAtMs: lostSinceMs }));
    for (const letter of ['b', 'c', 'd', 'e']) this.cluster.setNode(nodeFact({ name: `node-${letter}` }));
    for (const letter of ['a', 'b', 'c', 'd', 'e']) {
      this.cluster.setPersistentVolume(persistentVolumeFact({ name: `pv-${letter}` }));
      this.cluster.setVolumeAttachment(
        volumeAttachmentFact({ persistentVolumeName: `pv-${letter}`, nodeName: `node-${letter}` }),
      );
    }
    backend.setSilent('node-a', lostSinceMs + 15_000, lostSinceMs);
  }

  async report(choice: 'all' | 'lost' = 'all') {
    const { cluster, clock, policy, backend } = this;
    const planPreview = new PlanPreview({ cluster, clock, policy, fleet: fakeFleet(backend) });
    const readings = new Map();
    for (const [each, question] of planPreview.queries(clock.now())) {
      readings.set(each.name, await each.observe(question, new AbortController().signal));
    }
    return buildStateReport(planPreview.inspect(clock.now(), { readings }), choice, this.context);
  }
}

describe('buildStateReport', () => {
  it('names sessions of no known node at a backend, also while every node is well', async () => {
    const f = new Fixture();
    f.backend.unattributed = [{ address: { kind: 'ip', value: '10.0.9.9' }, lastActivityMs: 0 }];
    expect((await f.report()).backends).toMatchObject([{ name: 'backend-a', unattributed: ['10.0.9.9'] }]);
  });

  it('says what is attached where, what the backend says about it and what was decided', async () => {
    const f = new Fixture();
    const report = await f.report();
    expect(report).toMatchObject({
      asOfMs: f.clock.now(),
      version: '1.2.3',
      mode: 'fence',
      identity: 'me',
      leading: true,
      cache: { synced: true },
      backends: [
        { name: 'backend-a', connected: true, liveHosts: 1, enforcement: { kind: 'enforced' }, fences: [] },
      ],
      counts: { attachments: 5, ready: 4, byVerdict: { keep: 4, fence: 1 }, heldByReason: {} },
    });
    expect(report.attachments).toHaveLength(5);
    expect(report.attachments[0]).toEqual({
      volumeAttachment: 'va-pv-a-node-a',
      persistentVolume: 'pv-a',
      volumeHandle: 'handle-of-pv-a',
      claim: { namespace: 'default', name: 'claim-of-pv-a' },
      node: 'node-a',
      nodeState: 'not-ready',
      backend: 'backend-a',
      evidence: {
        kind: 'silent',
        detail: 'scripted for node-a',
        observedAtMs: f.clock.now(),
        silentSinceMs: f.clock.now() - 45_000,
        lastActivityMs: f.clock.now() - 60_000,
      },
      fence: { kind: 'open' },
      rule: 'mode-fence',
      decision: 'fence',
      why: 'Node has been NotReady for 60.0 s; scripted for node-a',
    });
    expect(report.nodes.find(({ name }) => name === 'node-a')).toEqual({
      name: 'node-a',
      uid: 'uid-of-node-a',
      state: 'not-ready',
      sinceMs: f.clock.now() - 60_000,
      addresses: ['address-of-node-a'],
      attachments: 1,
      fences: [],
    });
  });

  it('lists only what is lost when asked for it, and counts all', async () => {
    const { attachments, counts } = await new Fixture().report('lost');
    expect(attachments.map(({ node }) => node)).toEqual(['node-a']);
    expect(counts).toMatchObject({ attachments: 5, ready: 4 });
  });

  it('does not show attachments on ready nodes as held when everything is', async () => {
    const f = new Fixture();
    f.cluster.synced = false;
    const { attachments, counts } = await f.report('lost');
    expect(attachments.map(({ node, reason }) => [node, reason])).toEqual([['node-a', 'cache-stale']]);
    expect(counts).toMatchObject({
      byVerdict: { hold: 1, keep: 4 },
      heldByReason: { 'cache-stale': 1 },
      blocked: 4,
    });
  });

  it('leaves out attachments of other drivers', async () => {
    const f = new Fixture();
    f.cluster.setVolumeAttachment(
      volumeAttachmentFact({ name: 'theirs', attacher: 'other', nodeName: 'node-a' }),
    );
    expect((await f.report()).counts.attachments).toBe(5);
  });

  it('names the fences of a node and what becomes of them', async () => {
    const f = new Fixture();
    const addresses = ipAddresses(['address-of-node-a']);
    const record = {
      id: 'f1',
      nodeName: 'node-a',
      bootId: 'boot-of-node-a',
      addresses,
      fencedAtMs: f.clock.now(),
    };
    await f.backend.fence(record, addresses, new AbortController().signal);
    const { nodes, attachments, backends } = await f.report();
    expect(nodes.find(({ name }) => name === 'node-a')?.fences).toEqual([
      { backend: 'backend-a', id: 'f1', fencedAtMs: f.clock.now(), cleanup: 'stays: Node is not ready' },
    ]);
    expect(attachments[0]?.fence).toMatchObject({ kind: 'quiescing', id: 'f1' });
    expect(backends[0]?.fences).toMatchObject([{ id: 'f1' }]);
  });

  it('says since when a decision has stood, and what kept it from being done', async () => {
    const reporter = new PassReporter({});
    const f = new Fixture();
    const { cluster, clock, policy, backend } = f;
    const planPreview = new PlanPreview({ cluster, clock, policy, fleet: fakeFleet(backend) });
    const readings = new Map();
    for (const [each, question] of planPreview.queries(clock.now())) {
      readings.set(each.name, await each.observe(question, new AbortController().signal));
    }
    const preview = planPreview.inspect(clock.now(), { readings });
    const { decisions } = preview;
    const attachment = () =>
      buildStateReport(preview, 'all', { ...f.context, statuses: reporter.statuses }).attachments[0];
    const { signal } = new AbortController();
    const pass = {
      nowMs: clock.now(),
      reconcileId: 'r',
      attacher: policy.attacher,
      decisions,
      cleanups: [],
      fences: [],
    };
    reporter.passed({ ...pass, effects: [] }, signal);
    expect(attachment()).toMatchObject({ decision: 'fence', sinceMs: pass.nowMs });
    const lost = decisions.filter((each) => each.node.kind !== 'ready') as never;
    const effect = {
      kind: 'postponed',
      reason: 'sibling-held',
      decisions: lost,
      why: 'pv-z may not go',
    } as const;
    reporter.passed({ ...pass, effects: [effect] }, signal);
    expect(attachment()).toMatchObject({
      decision: 'hold',
      reason: 'sibling-held',
      why: 'pv-z may not go',
    });
    await reporter[Symbol.asyncDispose]();
  });

  it.each([0, 1, 499, 500, 501, 1_000])('is the same JSON in pieces: %i attachments', async (count) => {
    const report = await new Fixture().report();
    const [first] = report.attachments;
    const attachments = Array.from({ length: count }, (_, index) => ({
      ...first,
      volumeAttachment: `va-${index}`,
    }));
    const whole = { ...report, attachments: attachments as typeof report.attachments };
    expect(JSON.parse([...stateJson(whole)].join(''))).toEqual(whole);
  });
});
