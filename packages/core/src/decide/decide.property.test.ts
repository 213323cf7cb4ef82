import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EFFECTIVE,
  INEFFECTIVE,
  NOT_ENFORCED,
  NOW,
  OPEN,
  QUIESCING,
  type WorldOptions,
  world,
} from '../../test/decide-world.ts';
import type { FenceState } from '../model/fence-state.ts';
import { HOLD_REASONS } from '../model/hold-reason.ts';
import { MODES, type Policy } from '../model/policy.ts';
import type { NodeEvidence } from '../model/storage-reading.ts';
import { nodeFact, TEST_ATTACHER } from '../testing/fact-builders.ts';
import { testPolicy } from '../testing/policy-builder.ts';
import type { NodeState } from '../view/cluster-view.ts';
import { decide } from './decide.ts';

/** Around every limit there is, and far from them. */
const age = fc.oneof(
  fc.integer({ min: 0, max: 130_000 }),
  fc.constantFrom(
    0,
    1,
    1_999,
    2_000,
    9_999,
    10_000,
    14_999,
    15_000,
    29_999,
    30_000,
    59_999,
    60_000,
    120_000,
    120_001,
  ),
);

const taint = fc.constantFrom(
  { key: 'node.kubernetes.io/out-of-service', value: 'test.csi.reattach.io', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/out-of-service', value: 'other', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' },
);

const node: fc.Arbitrary<NodeState> = fc
  .record({
    kind: fc.constantFrom('ready', 'lease-stale', 'not-ready', 'gone'),
    lostForMs: age,
    taints: fc.array(taint, { maxLength: 1 }),
  })
  .map(({ kind, lostForMs, taints }): NodeState => {
    const fact = nodeFact({ ready: kind !== 'not-ready', taints });
    const sinceMs = NOW - lostForMs;
    if (kind === 'ready') return { kind, name: fact.name, node: fact };
    if (kind === 'gone') return { kind, name: fact.name, sinceMs, lastSeen: fact };
    if (kind === 'not-ready') return { kind, name: fact.name, node: fact, sinceMs };
    return { kind, name: fact.name, node: fact, sinceMs, renewTime: 't' };
  });

const evidence: fc.Arbitrary<NodeEvidence> = fc
  .record({
    kind: fc.constantFrom('live', 'silent', 'unknown'),
    ageMs: age,
    readAgoMs: fc.constantFrom(0, 5_000, 5_001),
  })
  .map(({ kind, ageMs, readAgoMs }): NodeEvidence => {
    const observedAtMs = NOW - readAgoMs;
    const lastActivityMs = observedAtMs - ageMs;
    if (kind === 'unknown') return { kind, observedAtMs, reason: 'not-observable', detail: 'd' };
    if (kind === 'live') return { kind, observedAtMs, lastActivityMs, detail: 'd' };
    return { kind, observedAtMs, lastActivityMs, silentSinceMs: lastActivityMs + 15_000, detail: 'd' };
  });

const fence: fc.Arbitrary<FenceState> = fc.constantFrom(
  OPEN,
  QUIESCING,
  INEFFECTIVE,
  NOT_ENFORCED,
  EFFECTIVE,
  { kind: 'unknown', why: 'not read' },
);

const options: fc.Arbitrary<WorldOptions> = fc.record({
  node,
  evidence,
  fence,
  attachment: fc.record({ attacher: fc.constantFrom(TEST_ATTACHER, 'other.example') }),
  view: fc.record({
    migrationUntilMs: age.map((ms) => NOW + ms - 60_000),
    vmMigrating: fc.boolean(),
  }),
  cache: fc.record({ synced: fc.boolean(), freshAsOfMs: age.map((ms) => NOW - ms), detail: fc.constant('') }),
  peers: fc.constantFrom(0, 1, 5),
});

const policy: fc.Arbitrary<Policy> = fc
  .record({ mode: fc.constantFrom(...MODES), otherDrivers: fc.constantFrom('hold', 'release-ours') })
  .map((overrides) => testPolicy(overrides));

type Taken = ReturnType<typeof first>;

/** A world in which the decision breaks the law; `undefined` when 5,000 have been tried in vain. */
function counterexample(law: Law): unknown {
  const property = fc.property(options, policy, (o, p) => law(first(o, p), o, p));
  return fc.check(property, { numRuns: 5_000 }).counterexample ?? undefined;
}

function first(o: WorldOptions, p: Policy) {
  const plan = decide(world(o), p, NOW);
  const [decision] = plan.decisions;
  if (!decision) throw new Error('nothing was decided');
  return { ...decision, plan };
}

type Law = (taken: Taken, options: WorldOptions, policy: Policy) => boolean;

const acts = ({ verdict: { kind } }: Taken) => kind === 'release' || kind === 'fence';

const LAWS: readonly (readonly [string, Law])[] = [
  [
    'never acts on a stale cache',
    (taken: Taken, { cache }: WorldOptions) =>
      !acts(taken) || (cache?.synced === true && NOW - cache.freshAsOfMs <= 120_000),
  ],
  [
    'never acts on unknown or old evidence',
    (taken: Taken) =>
      !acts(taken) || (taken.evidence.kind !== 'unknown' && NOW - taken.evidence.observedAtMs <= 5_000),
  ],
  [
    'never acts inside the grace',
    (taken: Taken) => {
      const { node: state, evidence: found } = taken;
      if (!acts(taken) || state.kind === 'ready') return !acts(taken);
      const silentForMs = found.kind === 'silent' ? NOW - Math.max(found.silentSinceMs, state.sinceMs) : -1;
      return (state.kind !== 'lease-stale' && NOW - state.sinceMs >= 30_000) || silentForMs >= 10_000;
    },
  ],
  [
    'never acts in mode observe, for another attacher or in a migration of a node that may still write',
    (taken: Taken, _options: WorldOptions, { mode }: Policy) =>
      !acts(taken) ||
      (mode !== 'observe' &&
        taken.attachment.attacher === TEST_ATTACHER &&
        (taken.evidence.kind === 'silent' ||
          taken.fence.kind === 'effective' ||
          ((taken.migrationUntilMs ?? 0) <= NOW && !taken.vmMigrating))),
  ],
  [
    'never releases without an effective fence',
    ({ verdict, fence: state }: Taken) => verdict.kind !== 'release' || state.kind === 'effective',
  ],
  [
    'fences only what is open, and only in mode fence',
    ({ verdict, fence: state }: Taken, _options: WorldOptions, { mode }: Policy) =>
      verdict.kind !== 'fence' || (state.kind === 'open' && mode === 'fence'),
  ],
  [
    'always says why, and names the reason of a hold',
    ({ verdict, rule }: Taken) =>
      verdict.why !== '' && rule !== '' && (verdict.kind !== 'hold' || verdict.reason in HOLD_REASONS),
  ],
  [
    'wakes in the future, and before a wait is over',
    ({ verdict, plan: { nextDeadlineMs = 0 } }: Taken) =>
      verdict.kind !== 'wait' ||
      (verdict.untilMs > NOW && nextDeadlineMs > NOW && nextDeadlineMs <= verdict.untilMs),
  ],
];

describe('decide', () => {
  it('acts at all, so that the laws below are about something', () => {
    expect(counterexample((taken) => !acts(taken))).toBeDefined();
    expect(counterexample(({ verdict }) => verdict.kind !== 'release')).toBeDefined();
  });

  it.each(LAWS)('%s', (_title, law) => {
    expect(counterexample(law)).toBeUndefined();
  });

  it('says the same of the same facts, and changes none of them', () => {
    fc.assert(
      fc.property(options, policy, (o, p) => {
        const view = world(o);
        for (const attachment of view.attachments) Object.freeze(attachment);
        for (const state of view.nodes.values()) Object.freeze(state);
        Object.freeze(view);
        expect(decide(view, Object.freeze(p), NOW)).toEqual(decide(view, p, NOW));
      }),
    );
  });
});
