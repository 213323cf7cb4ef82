import { describe, expect, it } from 'vitest';
import { ADDRESS, live, NOW, notReady, world } from '../../test/decide-world.ts';
import { nodeFact } from '../testing/fact-builders.ts';
import { testPolicy } from '../testing/policy-builder.ts';
import type { NodeState } from '../view/cluster-view.ts';
import { decide } from './decide.ts';

const NONE = { allowedCidrs: [], reserved: [] };

function verdict(
  other: NodeState | undefined,
  addresses = NONE as ReturnType<typeof testPolicy>['addresses'],
) {
  const view = world({ evidence: live });
  const nodes = new Map(view.nodes);
  if (other) nodes.set(other.name, other);
  const [decision] = decide({ ...view, nodes }, testPolicy({ addresses }), NOW).decisions;
  return decision?.verdict;
}

const claimant = nodeFact({ name: 'node-z', storageAddresses: [ADDRESS] });

describe('an address of a lost node', () => {
  it.each<[string, NodeState]>([
    ['a Ready node', { kind: 'ready', name: 'node-z', node: claimant }],
    ['a node that is not ready', { ...notReady(1_000), name: 'node-z', node: claimant } as NodeState],
  ])('that %s also claims is held, naming both', (_what, other) => {
    expect(verdict(other)).toMatchObject({
      kind: 'hold',
      reason: 'address-conflict',
      why: `Address ${ADDRESS} is claimed by node node-a and by node node-z`,
    });
  });

  it('that a deleted Node had before is its own', () => {
    expect(verdict({ kind: 'gone', name: 'node-z', sinceMs: NOW, lastSeen: claimant })?.kind).toBe('fence');
  });

  it('that another node only had before is its own', () => {
    const node = { ...claimant, formerAddresses: [{ address: ADDRESS, lostAtMs: NOW }] };
    expect(verdict({ kind: 'ready', name: 'node-z', node })?.kind).toBe('fence');
  });

  it('that is reserved or outside the allowed ranges is held', () => {
    const reserved = [{ address: ADDRESS, claimant: 'backend nas-1' }];
    expect(verdict(undefined, { allowedCidrs: [], reserved })).toMatchObject({
      reason: 'address-conflict',
      why: expect.stringContaining('backend nas-1'),
    });
    expect(verdict(undefined, { allowedCidrs: ['10.0.0.0/8'], reserved: [] })).toMatchObject({
      reason: 'address-conflict',
      why: expect.stringContaining('10.0.0.0/8'),
    });
  });
});
