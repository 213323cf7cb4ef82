import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PassFixture } from '../../test/pass-fixture.ts';
import type { Cleanup } from '../decide/cleanups.ts';
import type { Decision } from '../decide/decide.ts';
import { FENCED_TAINT } from '../model/fenced-taint.ts';
import { OUT_OF_SERVICE_TAINT } from '../model/out-of-service.ts';
import type { Policy } from '../model/policy.ts';
import { nodeFact, TEST_ATTACHER } from '../testing/fact-builders.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FakeStorageBackend, fakeFleet } from '../testing/fake-storage-backend.ts';
import { PlanPreview } from './plan-preview.ts';

const NODES = ['node-a', 'node-b', 'node-c'];
const BACKENDS = ['backend-a', 'backend-b'];
const FENCED = { key: FENCED_TAINT, value: TEST_ATTACHER, effect: 'NoSchedule' };
const OUT_OF_SERVICE = { key: OUT_OF_SERVICE_TAINT, value: TEST_ATTACHER, effect: 'NoExecute' };

const node = fc.constantFrom(...NODES);
const backend = fc.constantFrom(...BACKENDS);
/** One thing that happens between two passes. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant('node' as const),
    node,
    state: fc.constantFrom('ready', 'rebooted', 'not-ready', 'not-ready', 'gone', 'gone'),
    taints: fc.subarray([FENCED, OUT_OF_SERVICE]),
  }),
  fc.record({
    kind: fc.constant('evidence' as const),
    node,
    backend,
    says: fc.constantFrom('live', 'silent', 'silent'),
  }),
  fc.record({ kind: fc.constant('reachable' as const), backend, reachable: fc.boolean() }),
  fc.record({ kind: fc.constant('unfenced by others' as const), backend }),
  fc.record({ kind: fc.constant('cache' as const), synced: fc.boolean() }),
  fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(0, 500, 6_000, 40_000) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const scenario = fc.record({
  mode: fc.constantFrom<Policy['mode']>('fence', 'fence', 'observe'),
  strategy: fc.constantFrom<Policy['strategy']>('in-use', 'out-of-service'),
  steps: fc.array(step, { minLength: 1, maxLength: 12 }),
});

class World {
  readonly clock: FakeClock = new FakeClock();
  readonly backends: readonly FakeStorageBackend[];
  readonly fixture: PassFixture;
  readonly preview: PlanPreview;

  constructor(policy: Partial<Policy>) {
    this.backends = BACKENDS.map((name) => new FakeStorageBackend(this.clock, name));
    const fleet = fakeFleet(...this.backends);
    this.fixture = new PassFixture(policy, { fleet }, this.clock);
    for (const name of NODES) {
      for (const each of this.backends) {
        each.setSilent(name, this.clock.now() - 60_000, this.clock.now() - 90_000);
        this.fixture.attach(`pv-${name}-${each.name}`, name, `pod-${name}`, { address: each.name });
      }
    }
    const { cluster } = this.fixture;
    const history = () => this.fixture.history;
    this.preview = new PlanPreview({
      cluster,
      fleet,
      clock: this.clock,
      policy: this.fixture.policy,
      history,
    });
  }

  async happens(each: Step): Promise<void> {
    if (each.kind === 'time') await this.clock.advance(each.ms);
    if (each.kind === 'cache') this.fixture.cluster.synced = each.synced;
    if (each.kind === 'node' && each.state === 'gone') this.fixture.removeNode(each.node);
    if (each.kind === 'node' && each.state !== 'gone') {
      const ready = each.state !== 'not-ready';
      const { bootId } = nodeFact({ name: each.node });
      this.fixture.setNode(
        nodeFact({
          name: each.node,
          ready,
          taints: each.taints,
          bootId: each.state === 'rebooted' ? `${bootId}-again` : bootId,
          readyObservedAtMs: this.clock.now() - 50_000,
        }),
      );
    }
    for (const known of this.backends) {
      if (!('backend' in each) || known.name !== each.backend) continue;
      if (each.kind === 'reachable') known.reachable = each.reachable;
      if (each.kind === 'unfenced by others') known.fences.clear();
      if (each.kind !== 'evidence') continue;
      if (each.says === 'live') known.setLive(each.node);
      else known.setSilent(each.node, this.clock.now() - 60_000);
    }
  }
}

const summary = ({ attachment, rule, verdict, evidence, fence }: Decision) => ({
  name: attachment.name,
  rule,
  verdict,
  evidence,
  fence,
});
const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
const sorted = (cleanups: readonly Cleanup[]) => [...cleanups].toSorted(byText);

/** The last pass and a preview at this moment decide the same, and the preview lists healthy attachments besides. */
function expectAgreement({ fixture, clock, preview }: World): void {
  const { decisions, cleanups } = preview.inspect(clock.now());
  const decided = new Set(fixture.report.decisions.map(({ attachment }) => attachment.uid));
  const affected = decisions.filter(({ attachment }) => decided.has(attachment.uid));
  const others = decisions.filter(({ attachment }) => !decided.has(attachment.uid));
  expect(affected.map(summary).toSorted(byText)).toEqual(
    fixture.report.decisions.map(summary).toSorted(byText),
  );
  expect(others.filter(({ node: { kind } }) => kind !== 'ready')).toEqual([]);
  expect(sorted(cleanups)).toEqual(sorted(fixture.report.cleanups));
}

describe('a pass and a preview', () => {
  it('agree on the same facts, also before a fence has been read back', async () => {
    let agreed = 0;
    let unread = 0;
    await fc.assert(
      fc.asyncProperty(scenario, async ({ mode, strategy, steps }) => {
        const world = new World({ mode, strategy });
        for (const each of steps) {
          await world.happens(each);
          await world.fixture.run();
          if (world.fixture.report.effects.length === 0) {
            expectAgreement(world);
            agreed++;
            continue;
          }
          // The facts have changed: fences were made that no reading shows. The next pass cannot read them back either.
          const reachable = world.backends.map((known) => known.reachable);
          for (const known of world.backends) known.reachable = false;
          await world.fixture.run();
          if (!world.fixture.report.effects.some(({ kind }) => kind !== 'restore-failed')) {
            expectAgreement(world);
            unread++;
          }
          world.backends.forEach((known, index) => (known.reachable = reachable[index] ?? true));
        }
      }),
      { numRuns: 300 },
    );
    expect(agreed).toBeGreaterThan(100);
    expect(unread).toBeGreaterThan(100);
  });

  it('keep a node tainted right after a fence that has not been read back', async () => {
    const fixture = PassFixture.unfenced();
    await fixture.run();
    expect(fixture.report.effects.map(({ kind }) => kind)).toContain('fenced');
    const { clock, cluster, policy } = fixture;
    fixture.setNode(nodeFact({ taints: [FENCED] }));
    const history = () => fixture.history;
    const preview = new PlanPreview({ cluster, clock, policy, fleet: fakeFleet(fixture.backend), history });
    expect(preview.inspect(clock.now()).cleanups.map(({ kind }) => kind)).not.toContain(
      'remove-fenced-taint',
    );
  });
});
