import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeFact } from '../model/facts.ts';
import type { Fence } from '../model/fence-record.ts';
import { FENCED_TAINT, hasOwnFencedTaint } from '../model/fenced-taint.ts';
import { isOutOfServiceByUs } from '../model/out-of-service.ts';
import type { Policy } from '../model/policy.ts';
import { MODES } from '../model/policy.ts';
import { ipAddresses } from '../model/storage-address.ts';
import { nodeFact, TEST_ATTACHER, volumeAttachmentFact } from '../testing/fact-builders.ts';
import { testPolicy } from '../testing/policy-builder.ts';
import type { ClusterView, NodeState } from '../view/cluster-view.ts';
import { decideFencedTaintRemovals, decideUnfences, decideUntaints } from './cleanups.ts';

const NOW = 1_767_225_600_000;
const OURS = { key: 'node.kubernetes.io/out-of-service', value: 'test.csi.reattach.io', effect: 'NoExecute' };
const THEIRS = { ...OURS, value: 'nodeshutdown' };

const fence: Fence = {
  id: 'f1',
  nodeName: 'node-a',
  nodeUid: 'uid-of-node-a',
  bootId: 'boot-1',
  fencedAtMs: NOW - 60_000,
  addresses: ipAddresses(['address-of-node-a']),
  inForce: ipAddresses(['address-of-node-a']),
  seenSinceMs: NOW - 60_000,
};

const rebooted = nodeFact({ bootId: 'boot-2' });
const tainted = nodeFact({ bootId: 'boot-2', taints: [OURS], outOfServiceBootId: 'boot-1' });
const ready = (node: NodeFact): NodeState => ({ kind: 'ready', name: node.name, node });

function without<T extends object, K extends keyof T>(object: T, key: K): Omit<T, K> {
  const { [key]: _, ...rest } = object;
  return rest;
}

interface Given {
  readonly node?: NodeState;
  readonly fences?: readonly Fence[];
  readonly terminatingPod?: string;
  readonly attached?: boolean;
  readonly cache?: ClusterView['cache'];
  readonly policy?: Policy;
}

function recover(given: Given) {
  const { node = ready(rebooted), fences = [fence], terminatingPod, attached = false } = given;
  const fact = node.kind === 'gone' ? undefined : node.node;
  const view: ClusterView = {
    cache: given.cache ?? { synced: true, freshAsOfMs: NOW, detail: '' },
    attachments: attached ? [{ attachment: volumeAttachmentFact(), vmMigrating: false }] : [],
    nodes: new Map([[node.name, node]]),
    storageNodes: new Map(),
    outOfService: new Map(
      fact && isOutOfServiceByUs(fact, TEST_ATTACHER)
        ? [[node.name, { node: fact, ...(terminatingPod !== undefined && { terminatingPod }) }]]
        : [],
    ),
    withFencedTaint: fact && hasOwnFencedTaint(fact, TEST_ATTACHER) ? [fact] : [],
    otherAttachers: new Map(),
    recentLosses: new Map(),
    storage: new Map([
      [
        'backend-a',
        { observedAtMs: NOW, evidence: new Map(), fenceStates: new Map(), unattributed: [], fences },
      ],
    ]),
  };
  const args = [view, given.policy ?? testPolicy(), NOW] as const;
  return [...decideUnfences(...args), ...decideUntaints(...args), ...decideFencedTaintRemovals(...args)];
}

const kinds = (given: Given) => recover(given).map(({ kind }) => kind);

const declared = (cleanFenceId: string) => ready(nodeFact({ bootId: 'boot-1', cleanFenceId }));

describe('cleanups', () => {
  describe('of a fence', () => {
    it('lets a node back that is Ready and has booted since', () => {
      expect(recover({})).toEqual([
        {
          kind: 'unfence',
          backendName: 'backend-a',
          fence,
          node: rebooted,
          why: 'The node has booted since fence f1',
        },
      ]);
    });

    it('lets a node back that an operator declared clean of this very fence', () => {
      expect(kinds({ node: declared('f1') })).toEqual(['unfence']);
      expect(kinds({ node: declared('f0') })).toEqual(['keep-fence']);
    });

    it.each<[string, Given]>([
      ['has not booted', { node: ready(nodeFact({ bootId: 'boot-1' })) }],
      ['does not say which boot it is', { node: ready(without(rebooted, 'bootId')) }],
      ['is fenced without a known boot', { fences: [without(fence, 'bootId')] }],
      [
        'is not ready',
        { node: { kind: 'not-ready', name: 'node-a', node: { ...rebooted, ready: false }, sinceMs: NOW } },
      ],
      [
        'has a stale Lease',
        { node: { kind: 'lease-stale', name: 'node-a', node: rebooted, sinceMs: NOW, renewTime: 't' } },
      ],
      ['is gone', { node: { kind: 'gone', name: 'node-a', sinceMs: NOW, lastSeen: rebooted } }],
      ['is not known', { node: ready(nodeFact({ name: 'node-b', bootId: 'boot-2' })) }],
      ['is being recovered by another', { node: ready({ ...rebooted, taints: [THEIRS] }) }],
    ])('keeps out a node that %s', (_situation, given) => {
      expect(kinds(given)).toEqual(['keep-fence']);
    });

    it('waits for our taint to go first', () => {
      expect(kinds({ node: ready(tainted) })).toEqual(['keep-fence', 'untaint']);
    });
  });

  describe('of our taint', () => {
    it('goes when the node has booted since and nothing of ours is left', () => {
      expect(kinds({ node: ready(tainted), fences: [] })).toEqual(['untaint']);
    });

    it('goes from a node that is clean of its fence', () => {
      const { outOfServiceBootId: _, ...unnoted } = tainted;
      expect(kinds({ node: ready(unnoted) })).toEqual(['keep-fence', 'untaint']);
      expect(kinds({ node: ready({ ...unnoted, bootId: 'boot-1' }) })).toEqual(['keep-fence', 'keep-taint']);
    });

    it.each<[string, Given]>([
      ['a VolumeAttachment of ours is left', { attached: true }],
      ['a Pod still terminates', { terminatingPod: 'default/pod-a' }],
      ['the node has not booted', { node: ready({ ...tainted, bootId: 'boot-1' }) }],
      ['it is not known when it was tainted', { node: ready(without(tainted, 'outOfServiceBootId')) }],
    ])('stays while %s', (_situation, given) => {
      expect(kinds({ node: ready(tainted), fences: [], ...given })).toEqual(['keep-taint']);
    });
  });

  describe('of the mark that keeps pods off', () => {
    const marked = {
      ...rebooted,
      taints: [{ key: FENCED_TAINT, value: 'test.csi.reattach.io', effect: 'NoSchedule' }],
    };

    it('goes once no fence of the node is left', () => {
      expect(kinds({ node: ready(marked), fences: [] })).toEqual(['remove-fenced-taint']);
      expect(kinds({ node: ready(marked), fences: [{ ...fence, nodeName: 'node-b' }] })).toContain(
        'remove-fenced-taint',
      );
      expect(kinds({ node: ready(marked) })).toEqual(['unfence']);
    });

    it('stays while the node is lost, and in mode observe', () => {
      const lost: NodeState = {
        kind: 'lease-stale',
        name: 'node-a',
        node: marked,
        sinceMs: NOW,
        renewTime: 't',
      };
      expect(kinds({ node: lost, fences: [] })).toEqual([]);
      expect(kinds({ node: ready(marked), fences: [], policy: testPolicy({ mode: 'observe' }) })).toEqual([]);
    });
  });

  it.each<[string, Given]>([
    ['an unsynced cache', { cache: { synced: false, freshAsOfMs: NOW, detail: '' } }],
    ['a cache that is too old', { cache: { synced: true, freshAsOfMs: NOW - 120_001, detail: '' } }],
    ['mode observe', { policy: testPolicy({ mode: 'observe' }) }],
  ])('removes nothing on %s', (_situation, given) => {
    expect(kinds({ node: ready(tainted), ...given })).toEqual(['keep-fence', 'keep-taint']);
  });

  it('never unfences a node that is not Ready, not proved clean or still tainted', () => {
    const bootId = fc.constantFrom('boot-1', 'boot-2', undefined);
    const arbitrary = fc.record({
      isReady: fc.boolean(),
      bootId,
      fenceBootId: bootId,
      cleanFenceId: fc.constantFrom('f0', 'f1', undefined),
      taints: fc.subarray([OURS, THEIRS]),
      mode: fc.constantFrom(...MODES),
      synced: fc.boolean(),
    });
    fc.assert(
      fc.property(arbitrary, ({ isReady, bootId: now, fenceBootId, cleanFenceId, taints, mode, synced }) => {
        const { bootId: _boot, ...base } = nodeFact({ ready: isReady, taints });
        const node = { ...base, ...(now && { bootId: now }), ...(cleanFenceId && { cleanFenceId }) };
        const { bootId: _fence, ...rest } = fence;
        const state: NodeState = isReady
          ? ready(node)
          : { kind: 'not-ready', name: node.name, node, sinceMs: NOW };
        const result = kinds({
          node: state,
          fences: [{ ...rest, ...(fenceBootId && { bootId: fenceBootId }) }],
          policy: testPolicy({ mode }),
          cache: { synced, freshAsOfMs: NOW, detail: '' },
        });
        const hasBooted = now !== undefined && fenceBootId !== undefined && now !== fenceBootId;
        const isClean = hasBooted || cleanFenceId === 'f1';
        const may = isReady && isClean && taints.length === 0 && mode === 'fence' && synced;
        expect(result.includes('unfence')).toBe(may);
      }),
    );
  });
});
