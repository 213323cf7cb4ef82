import { describe, expect, it } from 'vitest';
import type { NodeFact } from '../model/facts.ts';
import type { FenceRecord } from '../model/fence-record.ts';
import { ipAddresses } from '../model/storage-address.ts';
import { nodeFact } from '../testing/fact-builders.ts';
import { cleanProof, foreignTo } from './clean-proof.ts';

const fence: FenceRecord = {
  id: 'f1',
  clusterId: 'cluster-1',
  owner: 'ours',
  nodeName: 'node-a',
  nodeUid: 'uid-1',
  machineId: 'machine-1',
  bootId: 'boot-1',
  addresses: ipAddresses(['10.0.0.1', '10.0.0.2']),
  fencedAtMs: 0,
};
const ADDRESSES = ['10.0.0.1', '10.0.0.2'];
const node = (overrides: Partial<NodeFact> = {}) =>
  nodeFact({
    uid: 'uid-1',
    machineId: 'machine-1',
    bootId: 'boot-2',
    storageAddresses: ADDRESSES,
    ...overrides,
  });
const { machineId: _machine, ...withoutMachine } = fence;
const { nodeUid: _uid, ...nameless } = withoutMachine;

describe('cleanProof', () => {
  it.each<[string, NodeFact, FenceRecord, boolean]>([
    ['the same machine in another boot at its addresses', node(), fence, true],
    ['the same machine under a new uid', node({ uid: 'uid-2' }), fence, true],
    ['the same boot', node({ bootId: 'boot-1' }), fence, false],
    ['another machine under the name', node({ machineId: 'machine-2' }), fence, false],
    ['another machine under the name and uid', node({ machineId: 'machine-2', uid: 'uid-1' }), fence, false],
    ['the same uid, where no machine was recorded', node(), withoutMachine, true],
    ['another uid, where no machine was recorded', node({ uid: 'uid-2' }), withoutMachine, false],
    ['only the name is known', node(), nameless, false],
    ['a fenced address that it has no more', node({ storageAddresses: ['10.0.0.1'] }), fence, false],
    [
      'a fenced address that it only had',
      node({ formerAddresses: [{ address: '10.0.0.2', lostAtMs: 0 }] }),
      fence,
      false,
    ],
    ['the annotation names the fence', node({ bootId: 'boot-1', cleanFenceId: 'f1' }), fence, true],
    ['the annotation names several', node({ bootId: 'boot-1', cleanFenceId: 'f0, f1' }), fence, true],
    ['the annotation names another fence', node({ bootId: 'boot-1', cleanFenceId: 'f10' }), fence, false],
  ])('%s -> %j', (_situation, fact, record, isClean) => {
    const proof = cleanProof(fact, record);
    expect(proof.isClean).toBe(isClean);
    expect(proof.why).not.toBe('');
  });
});

describe('foreignTo', () => {
  it('names the other owner or cluster; what is not recorded is taken for ours', () => {
    expect(foreignTo(fence, { owner: 'ours', clusterId: 'cluster-1' })).toBeUndefined();
    expect(foreignTo(fence, { owner: 'ours' })).toBeUndefined();
    expect(foreignTo(fence, { owner: 'ours', clusterId: 'cluster-2' })).toContain('cluster-1');
    expect(foreignTo(fence, { owner: 'theirs', clusterId: 'cluster-1' })).toContain('ours');
  });
});
