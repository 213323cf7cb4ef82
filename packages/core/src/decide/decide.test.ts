import { describe, expect, it } from 'vitest';
import {
  ADDRESS,
  EFFECTIVE,
  FENCE,
  gone,
  leaseStale,
  live,
  NOT_ENFORCED,
  NOW,
  notReady,
  QUIESCING,
  ready,
  silentFor,
  unknown,
  type WorldOptions,
  world,
} from '../../test/decide-world.ts';
import type { NodeFact } from '../model/facts.ts';
import type { Policy } from '../model/policy.ts';
import { nodeFact, persistentVolumeFact } from '../testing/fact-builders.ts';
import { testPolicy } from '../testing/policy-builder.ts';
import { decide } from './decide.ts';
import { RULES, type Rule } from './rules.ts';

function verdictOf(options: WorldOptions, policy: Partial<Policy> = {}) {
  const [decision] = decide(world(options), testPolicy(policy), NOW).decisions;
  if (!decision) throw new Error('nothing was decided');
  const { verdict, rule } = decision;
  return { rule, ...verdict };
}

const notReadyWith = (overrides: Partial<NodeFact>) => {
  const node = nodeFact({ ready: false, ...overrides });
  return { kind: 'not-ready', name: node.name, node, sinceMs: NOW - 60_000 } as const;
};

const aged = (ageMs: number) => ({ cache: { synced: true, freshAsOfMs: NOW - ageMs, detail: '' } });
const deadline = (options: WorldOptions, policy: Partial<Policy> = {}) =>
  decide(world(options), testPolicy(policy), NOW).nextDeadlineMs;
const deleting = (ms: number) => ({ attachment: { deletingSinceMs: NOW - ms } });
const labelled = (labels: Record<string, string>) => ({ node: notReadyWith({ labels }) });

const CLAIMED_TWICE = { others: [nodeFact({ name: 'thief', storageAddresses: [ADDRESS] })] };

/** For each rule one case that it alone decides as it is. */
const CASES: readonly (readonly [rule: string, WorldOptions, Partial<Policy>, expected: object])[] = [
  [
    'cache-fresh',
    { cache: { synced: false, freshAsOfMs: 0, detail: 'pods' } },
    {},
    { kind: 'hold', reason: 'cache-stale' },
  ],
  ['attacher-ours', { attachment: { attacher: 'other.example' } }, {}, { kind: 'keep' }],
  [
    'no-mass-failure',
    { peers: 0, recentLosses: new Map([1, 2, 3, 4].map((n) => [`n${n}`, NOW])) },
    {},
    { kind: 'hold', reason: 'mass-failure' },
  ],
  [
    'no-other-actor',
    { node: notReadyWith({ taints: [{ key: 'medik8s.io/remediation', effect: 'NoExecute' }] }) },
    {},
    { kind: 'hold', reason: 'other-actor' },
  ],
  ['node-lost', { node: ready() }, {}, { kind: 'keep' }],
  [
    'no-migration',
    { evidence: live, view: { migrationUntilMs: NOW + 1 } },
    {},
    { kind: 'wait', untilMs: NOW + 1 },
  ],
  ['grace-over', { node: notReady(1_000) }, {}, { kind: 'wait' }],
  [
    'volume-known',
    {
      attachment: { persistentVolumeName: 'pv-a' },
      view: { volume: persistentVolumeFact({ driver: 'other.example' }) },
    },
    {},
    { kind: 'hold', reason: 'volume-unknown' },
  ],
  [
    'detach-under-way',
    { attachment: { deletingSinceMs: NOW - 1_000 } },
    {},
    { kind: 'wait', untilMs: NOW + 59_000 },
  ],
  ['addresses-own', CLAIMED_TWICE, {}, { kind: 'hold', reason: 'address-conflict' }],
  ['storage-known', { evidence: unknown }, {}, { kind: 'hold', reason: 'storage-unknown' }],
  [
    'other-drivers',
    { otherAttachers: ['ebs.example'] },
    { otherDrivers: 'hold' },
    { kind: 'hold', reason: 'other-drivers' },
  ],
  [
    'mode-observe',
    {},
    { mode: 'observe' },
    { kind: 'hold', reason: 'dry-run', would: { kind: 'fence', why: expect.any(String) } },
  ],
  ['mode-fence', {}, {}, { kind: 'fence' }],
];

describe('RULES', () => {
  it('are these, in this order', () => {
    expect(RULES.map(({ name }) => name)).toEqual(CASES.map(([rule]) => rule));
  });

  it.each(CASES)('%s decides its case', (rule, options, policy, expected) => {
    expect(verdictOf(options, policy)).toMatchObject({ rule, ...expected });
  });

  it.each(CASES.map(([rule, options, policy]) => ({ rule, options, policy })))(
    'without $rule its case would be decided otherwise',
    ({ rule, options, policy }) => {
      const before = verdictOf(options, policy);
      const index = RULES.findIndex(({ name }) => name === rule);
      const rules = RULES as Rule[];
      const [removed] = rules.splice(index, 1);
      try {
        let after: unknown;
        try {
          after = verdictOf(options, policy);
        } catch (err) {
          after = err; // the last rule: nothing decides
        }
        expect(after).not.toEqual(before);
      } finally {
        if (removed) rules.splice(index, 0, removed);
      }
    },
  );
});

describe('decide', () => {
  describe('on a cache', () => {
    it('holds from the moment it is older than allowed', () => {
      expect(verdictOf(aged(120_000)).kind).toBe('fence');
      expect(verdictOf(aged(120_001))).toMatchObject({ kind: 'hold', reason: 'cache-stale' });
    });
  });

  describe('on a backend', () => {
    it('holds what a backend says about a volume it does not export', () => {
      const options = { reading: { volumes: new Set<string>() } };
      expect(verdictOf(options)).toMatchObject({ kind: 'hold', reason: 'storage-unknown' });
      expect(verdictOf(options).why).toContain('volume-not-found');
    });

    it('holds a volume that names a backend that is not configured', () => {
      const view = world();
      const [{ backend: _, ...rest } = {}] = view.attachments;
      const [decision] = decide({ ...view, attachments: [rest as never] }, testPolicy(), NOW).decisions;
      expect(decision?.verdict).toMatchObject({ kind: 'hold', reason: 'storage-unknown' });
      expect(decision?.evidence).toMatchObject({ reason: 'no-such-backend' });
    });

    it('takes a reading that is too old for none', () => {
      const old = { ...silentFor(60_000), observedAtMs: NOW - 5_001 };
      expect(verdictOf({ evidence: old })).toMatchObject({ kind: 'hold', reason: 'storage-unknown' });
    });

    it('holds a node the backend was not asked about', () => {
      expect(verdictOf({ reading: { evidence: new Map() } }).why).toContain('no-storage-reading');
    });
  });

  describe('on grace', () => {
    it.each([
      ['live', live, 29_999, 'wait'],
      ['live', live, 30_000, 'fence'],
      ['unknown', unknown, 29_999, 'wait'],
      ['unknown', unknown, 30_000, 'hold'],
      ['silent for 9.999 s', silentFor(9_999), 20_000, 'wait'],
      ['silent for 10 s', silentFor(10_000), 20_000, 'fence'],
      ['silent for long', silentFor(60_000), 9_999, 'wait'],
      ['silent for long', silentFor(60_000), 10_000, 'fence'],
      ['silent for a moment', silentFor(1), 30_000, 'fence'],
    ])('%s, lost for %i ms -> %s', (_what, evidence, lostForMs, kind) => {
      expect(verdictOf({ evidence, node: notReady(lostForMs) }).kind).toBe(kind);
      expect(verdictOf({ evidence, node: gone(lostForMs) }).kind).toBe(kind);
    });

    it('waits exactly until the grace is over', () => {
      expect(verdictOf({ evidence: live, node: gone(1_000) })).toMatchObject({ untilMs: NOW + 29_000 });
      expect(verdictOf({ evidence: silentFor(4_000), node: gone(5_000) })).toMatchObject({
        untilMs: NOW + 6_000,
      });
    });
  });

  describe('on a stale Lease', () => {
    it('acts in mode fence where the backend proves silence', () => {
      expect(verdictOf({ node: leaseStale() }).kind).toBe('fence');
      expect(verdictOf({ node: leaseStale(), evidence: live }).kind).toBe('keep');
      expect(verdictOf({ node: leaseStale(), evidence: unknown }).kind).toBe('keep');
    });

    it('waits until silence has lasted', () => {
      expect(verdictOf({ node: leaseStale(), evidence: silentFor(9_999) })).toMatchObject({ kind: 'wait' });
    });

    it('never counts the full grace: without silence there is no proof', () => {
      expect(verdictOf({ node: leaseStale(3_600_000), evidence: live }).kind).toBe('keep');
    });
  });

  describe('on a migration', () => {
    it('waits within its timeout, and judges each node on its own after it', () => {
      expect(verdictOf({ evidence: live, view: { migrationUntilMs: NOW } }).kind).toBe('fence');
    });

    it('waits as long as KubeVirt migrates', () => {
      expect(verdictOf({ evidence: live, view: { vmMigrating: true } })).toMatchObject({
        kind: 'wait',
        untilMs: NOW + 2_000,
      });
    });
  });

  describe('on a migration of a node that is cut off', () => {
    const view = { vmMigrating: true, migrationUntilMs: NOW + 60_000 };

    it.each<[string, WorldOptions, string]>([
      ['silent', { evidence: silentFor(60_000) }, 'fence'],
      ['silent, within the grace', { node: notReady(1_000), evidence: silentFor(1_000) }, 'wait'],
      ['live behind an effective fence', { evidence: live, fence: EFFECTIVE }, 'release'],
      ['live behind a fence that is not effective yet', { evidence: live, fence: QUIESCING }, 'wait'],
      ['unknown', { evidence: unknown }, 'wait'],
    ])('%s: the migration cannot finish -> %s', (_what, options, verdict) => {
      expect(verdictOf({ ...options, view }).kind).toBe(verdict);
    });
  });

  describe('on another actor', () => {
    it.each([
      ['node.kubernetes.io/out-of-service', 'nodeshutdown', 'hold'],
      ['node.kubernetes.io/out-of-service', undefined, 'hold'],
      ['node.kubernetes.io/out-of-service', 'test.csi.reattach.io', 'fence'],
      ['medik8s.io/anything', undefined, 'hold'],
      ['remediation.medik8s.io', undefined, 'hold'],
      ['vxflexos.podmon.storage.dell.com', undefined, 'hold'],
      ['offline.vxflexos.storage.dell.com', undefined, 'fence'],
      ['node.kubernetes.io/unreachable', undefined, 'fence'],
    ])('taint %s=%s -> %s', (key, value, kind) => {
      const taint = { key, effect: 'NoExecute', ...(value && { value }) };
      expect(verdictOf({ node: notReadyWith({ taints: [taint] }) }).kind).toBe(kind);
    });

    it('remembers the taints of a Node that is gone', () => {
      const lastSeen = nodeFact({ taints: [{ key: 'medik8s.io/x', effect: 'NoExecute' }] });
      expect(
        verdictOf({ node: { kind: 'gone', name: 'node-a', sinceMs: NOW - 60_000, lastSeen } }),
      ).toMatchObject({
        reason: 'other-actor',
      });
    });
  });

  describe('on a volume', () => {
    it.each<[string, WorldOptions]>([
      ['of another driver', { view: { volume: persistentVolumeFact({ driver: 'other.example' }) } }],
    ])('holds one %s', (_what, options) => {
      expect(verdictOf(options)).toMatchObject({ kind: 'hold', reason: 'volume-unknown' });
    });

    it('holds one that is unknown or inline', () => {
      const view = world();
      const [{ volume: _, ...unknownVolume } = {}] = view.attachments;
      const held = (attachment: object) =>
        decide({ ...view, attachments: [attachment as never] }, testPolicy(), NOW).decisions[0]?.verdict;
      expect(held(unknownVolume)).toMatchObject({
        reason: 'volume-unknown',
        why: 'PersistentVolume pv-a is not known',
      });
      const [first] = view.attachments;
      const { persistentVolumeName: __, ...inline } = first?.attachment ?? {};
      expect(held({ attachment: inline, vmMigrating: false })).toMatchObject({
        reason: 'volume-unknown',
        why: 'VolumeAttachment has an inline volume',
      });
    });
  });

  describe('on a detach in progress', () => {
    it('waits for external-attacher, then says that it is stuck', () => {
      expect(verdictOf(deleting(59_999)).kind).toBe('wait');
      expect(verdictOf(deleting(60_000))).toMatchObject({ kind: 'hold', reason: 'attacher-stuck' });
    });
  });

  describe('in mode observe', () => {
    it.each([
      ['fence', { evidence: live }],
      ['fence', { node: leaseStale() }],
      ['release', { fence: EFFECTIVE }],
      ['hold', { fence: NOT_ENFORCED }],
    ])('shows that mode fence would %s', (kind, options) => {
      expect(verdictOf(options, { mode: 'observe' })).toMatchObject({
        reason: 'dry-run',
        would: { kind },
      });
    });
  });

  describe('in mode fence', () => {
    it('fences what is not fenced, live or silent', () => {
      expect(verdictOf({ evidence: live }).kind).toBe('fence');
    });

    it('releases behind an effective fence, live or silent before, and says the proof', () => {
      expect(verdictOf({ fence: EFFECTIVE })).toMatchObject({
        kind: 'release',
        why: expect.stringContaining('fence effective: proof (fence f1)'),
      });
      expect(verdictOf({ fence: EFFECTIVE, evidence: live }).kind).toBe('release');
    });

    it('waits for the quiesce', () => {
      expect(verdictOf({ fence: QUIESCING })).toMatchObject({ kind: 'wait', untilMs: NOW + 9_000 });
    });

    it.each([
      ['not-enforced', 'fence-failed'],
      ['still-writing', 'fence-failed'],
      ['quiesce-unproved', 'quiesce-unproved'],
      ['unattributed-session', 'unattributed-session'],
    ] as const)('holds a fence that is ineffective because of %s as %s, with the fix', (reason, held) => {
      const fence = { kind: 'ineffective', reason, why: 'reason in words', fix: 'do this' } as const;
      expect(verdictOf({ fence })).toMatchObject({
        kind: 'hold',
        reason: held,
        why: 'reason in words; fix: do this',
      });
    });

    it.each([
      ['this very fence, among others', 'f0, f1', true, 'quiesce-unproved', 'release'],
      ['another fence', 'f10', true, 'quiesce-unproved', 'hold'],
      ['nothing', undefined, true, 'quiesce-unproved', 'hold'],
      ['this fence, which the backend itself contradicts', 'f1', undefined, 'quiesce-unproved', 'hold'],
    ] as const)(
      'takes the word of an operator for the missing proof: the annotation names %s',
      (_what, confirmedOffFenceId, acceptsConfirmation, reason, kind) => {
        const fence = {
          kind: 'ineffective',
          reason,
          fence: FENCE,
          why: 'vanished',
          acceptsConfirmation,
        } as const;
        const verdict = verdictOf({ fence, attachment: { confirmedOffFenceId } });
        expect(verdict).toMatchObject({
          kind,
          why: expect.stringMatching(kind === 'release' ? /operator confirmed/ : /vanished/),
        });
      },
    );

    it('holds a fence that could not be judged', () => {
      expect(verdictOf({ fence: { kind: 'unknown', why: 'not read' } })).toMatchObject({
        reason: 'fence-failed',
        why: 'not read',
      });
      expect(verdictOf({ reading: { fenceStates: new Map() } })).toMatchObject({ reason: 'fence-failed' });
    });

    it('never fences nodes with these labels, nor a Node whose labels are not known', () => {
      const neverFence = { 'example.org/boots-from': 'backend', zone: 'a' };
      const policy = { fence: { ...testPolicy().fence, neverFence } };
      expect(verdictOf(labelled(neverFence), policy)).toMatchObject({ reason: 'fence-excluded' });
      expect(verdictOf(labelled({ zone: 'a' }), policy).kind).toBe('fence');
      expect(verdictOf({ node: gone() }, policy)).toMatchObject({ reason: 'fence-excluded' });
      expect(verdictOf({ node: gone() }).kind).toBe('fence');
    });
  });

  describe('deadline', () => {
    it('is none while every node is ready', () => {
      expect(deadline({ node: ready() })).toBeUndefined();
      expect(deadline({ attachment: { attacher: 'other.example' } })).toBeUndefined();
    });

    it('is the next poll, or the end of a wait that comes sooner', () => {
      expect(deadline({ evidence: unknown })).toBe(NOW + 2_000);
      expect(deadline({ evidence: live, node: gone(29_000) })).toBe(NOW + 1_000);
      expect(deadline({ evidence: live, node: gone(1_000) })).toBe(NOW + 2_000);
    });

    it('watches Leases of ready nodes with early detection', () => {
      const earlyDetection = { enabled: true, leaseStaleMs: 20_000 };
      expect(deadline({ node: ready() }, { earlyDetection })).toBe(NOW + 2_000);
    });
  });
});
