import { describe, expect, it } from 'vitest';
import type { FenceFact, NodeEvidence, StorageReading } from '../model/facts.ts';
import { testPolicy } from '../testing/policy-builder.ts';
import { type FenceCase, fenceState } from './fence-state.ts';

const NOW = 1_767_225_600_000;
const ADDRESSES = ['10.0.0.1', '10.0.1.1'];

const fence: FenceFact = {
  id: 'f1',
  nodeName: 'node-a',
  fencedAtMs: NOW - 60_000,
  addresses: ADDRESSES,
  seenSinceMs: NOW - 60_000,
};

function silent(lastActivityMs?: number): NodeEvidence {
  return {
    kind: 'silent',
    observedAtMs: NOW,
    silentSinceMs: NOW - 30_000,
    detail: 'silent',
    ...(lastActivityMs !== undefined && { lastActivityMs }),
  };
}

function judge(reading: Partial<StorageReading>, rest: Partial<Omit<FenceCase, 'reading'>> = {}) {
  return fenceState({
    reading: {
      observedAtMs: NOW,
      evidence: new Map(),
      guard: { kind: 'enforced' },
      fences: [fence],
      volumes: new Map([['vol', { writesStillSinceMs: NOW - 60_000 }]]),
      ...reading,
    },
    nodeName: 'node-a',
    addresses: ADDRESSES,
    evidence: silent(NOW - 40_000),
    singleWriterVolume: 'vol',
    policy: testPolicy().fence,
    ...rest,
  });
}

const volumes = (writesStillSinceMs: number) => new Map([['vol', { writesStillSinceMs }]]);

describe('fenceState', () => {
  it('is effective when one reading shows rule, entries, quiesce and still counters', () => {
    expect(judge({})).toEqual({ kind: 'effective', fence });
  });

  it.each([['fences' as const], ['guard' as const]])('is unknown when the %s could not be read', (part) => {
    const { [part]: _, ...rest } = { fences: [fence], guard: { kind: 'enforced' } as const };
    const reading = { observedAtMs: NOW, evidence: new Map(), ...rest };
    const policy = testPolicy().fence;
    const state = fenceState({
      reading,
      nodeName: 'node-a',
      addresses: ADDRESSES,
      evidence: silent(),
      singleWriterVolume: 'vol',
      policy,
    });
    expect(state.kind).toBe('unknown');
  });

  it('is unenforced without the drop rule, whatever else there is, and names the fix', () => {
    const guard = { kind: 'unenforced', detail: 'no rule', fix: '/add it' } as const;
    expect(judge({ guard })).toEqual({ kind: 'unenforced', why: 'no rule; fix: /add it' });
    expect(judge({ guard: { kind: 'unenforced', detail: 'no rule' } })).toEqual({
      kind: 'unenforced',
      why: 'no rule',
    });
  });

  it('is open while no fence names the node', () => {
    const other = { ...fence, nodeName: 'node-b' };
    expect(judge({ fences: [other] })).toEqual({ kind: 'open', addresses: ADDRESSES });
  });

  it('is open while one of its addresses has no entry, and says which fence to complete', () => {
    const half = { ...fence, addresses: ['10.0.0.1'] };
    expect(judge({ fences: [half] })).toEqual({ kind: 'open', addresses: ['10.0.1.1'], partial: half });
  });

  it('takes the entries of several fences of the node together', () => {
    const [first, second] = ADDRESSES.map((address, index) => ({
      ...fence,
      id: `f${index}`,
      addresses: [address],
    }));
    if (!first || !second) throw new Error('two addresses');
    expect(judge({ fences: [first, second] })).toEqual({ kind: 'effective', fence: first });
    const late = { ...second, seenSinceMs: NOW };
    expect(judge({ fences: [first, late] }).kind).toBe('quiescing');
  });

  it('quiesces until the last packet of the node is old enough', () => {
    const evidence: NodeEvidence = {
      kind: 'live',
      observedAtMs: NOW,
      lastActivityMs: NOW - 9_999,
      detail: '',
    };
    expect(judge({}, { evidence })).toMatchObject({ kind: 'quiescing', untilMs: NOW + 1 });
    expect(judge({}, { evidence: { ...evidence, lastActivityMs: NOW - 10_000 } }).kind).toBe('effective');
  });

  it('counts from the fence where no packet of the node is known', () => {
    const young = { ...fence, seenSinceMs: NOW - 9_999 };
    expect(judge({ fences: [young] }, { evidence: silent() })).toMatchObject({
      kind: 'quiescing',
      untilMs: NOW + 1,
    });
    const old = { ...fence, seenSinceMs: NOW - 10_000 };
    expect(judge({ fences: [old] }, { evidence: silent() }).kind).toBe('effective');
  });

  it('does not rest on the reading that showed the fence for the first time', () => {
    const fresh = { ...fence, seenSinceMs: NOW };
    expect(judge({ fences: [fresh] }).kind).toBe('quiescing');
    expect(judge({ fences: [{ ...fresh, seenSinceMs: NOW - 1 }] }).kind).toBe('effective');
  });

  it('waits until the write counters have stood still', () => {
    // A new process: its first sample is as old as its first sight of the fence.
    const seen = { ...fence, seenSinceMs: NOW - 1_999 };
    expect(judge({ fences: [seen], volumes: volumes(NOW - 1_999) })).toMatchObject({
      kind: 'quiescing',
      untilMs: NOW + 1,
    });
    const earlier = { ...fence, seenSinceMs: NOW - 2_000 };
    expect(judge({ fences: [earlier], volumes: volumes(NOW - 2_000) }).kind).toBe('effective');
  });

  it('is ineffective when counters moved after the quiesce, until they have stood still for a whole quiesce', () => {
    expect(judge({ volumes: volumes(NOW - 9_999) }).kind).toBe('ineffective');
    expect(judge({ volumes: volumes(NOW - 10_000) }).kind).toBe('effective');
  });

  it('quiesces while writes are under way, and is ineffective when they still are after another quiesce', () => {
    const busy = new Map([['vol', { writesUnderWay: true }]]);
    const lastHeard = (agoMs: number): NodeEvidence => ({
      kind: 'live',
      observedAtMs: NOW,
      lastActivityMs: NOW - agoMs,
      detail: '',
    });
    expect(judge({ volumes: busy }, { evidence: lastHeard(19_999) })).toMatchObject({
      kind: 'quiescing',
      untilMs: NOW + 2_000,
    });
    expect(judge({ volumes: busy }, { evidence: lastHeard(20_000) }).kind).toBe('ineffective');
  });

  it('is ineffective when the backend gives no counters', () => {
    expect(judge({ volumes: new Map([['vol', {}]]) }).kind).toBe('ineffective');
    expect(judge({ volumes: new Map() }).kind).toBe('ineffective');
  });

  it('does not ask for counters of a volume that others may write to', () => {
    expect(judge({ volumes: new Map() }, { singleWriterVolume: undefined }).kind).toBe('effective');
  });
});
