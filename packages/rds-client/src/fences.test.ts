import { ipAddresses } from '@reattach/core';
import { describe, expect, it } from 'vitest';
import { fenceEntry } from '../test/support/snapshots.ts';
import { readFences } from './fences.ts';

const FENCE = {
  id: '00c0ffee',
  nodeName: 'node-a',
  nodeUid: 'uid-a',
  bootId: 'boot-a',
  fencedAtMs: 1_767_225_600_000,
};
const NONE = new Map();

describe('readFences', () => {
  it('groups the entries of one fence', () => {
    const entries = [fenceEntry({ address: '10.0.6.1' }), fenceEntry()];
    const { fences } = readFences(entries, true, NONE, 7);
    expect(fences).toMatchObject([
      { ...FENCE, inForce: ipAddresses(['10.0.5.1', '10.0.6.1']), seenSinceMs: 7 },
    ]);
  });

  it('leaves out entries that are disabled or dynamic, and those of others', () => {
    const entries = [
      fenceEntry({ disabled: true }),
      fenceEntry({ address: '10.0.6.1', dynamic: true }),
      fenceEntry({ address: '10.0.7.1', comment: 'by hand' }),
    ];
    expect(readFences(entries, true, NONE, 7).fences).toEqual([]);
  });

  it('remembers since when a fence has had its addresses', () => {
    const first = readFences([fenceEntry()], true, NONE, 1);
    const second = readFences([fenceEntry()], true, first.memory, 2);
    expect(second.fences[0]?.seenSinceMs).toBe(1);
    const more = readFences([fenceEntry(), fenceEntry({ address: '10.0.6.1' })], true, second.memory, 3);
    expect(more.fences[0]?.seenSinceMs).toBe(3);
    const gone = readFences([], true, more.memory, 4);
    expect(readFences([fenceEntry()], true, gone.memory, 5).fences[0]?.seenSinceMs).toBe(5);
  });

  it('counts only from when the drop rule is in force', () => {
    const unenforced = readFences([fenceEntry()], false, NONE, 1);
    expect(unenforced.fences[0]?.seenSinceMs).toBe(1);
    const enforced = readFences([fenceEntry()], true, unenforced.memory, 2);
    expect(enforced.fences[0]?.seenSinceMs).toBe(2);
    const lapsed = readFences([fenceEntry()], false, enforced.memory, 3);
    expect(readFences([fenceEntry()], true, lapsed.memory, 4).fences[0]?.seenSinceMs).toBe(4);
  });
});
