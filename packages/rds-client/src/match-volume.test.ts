import { describe, expect, it } from 'vitest';
import { EXPORT } from '../test/support/snapshots.ts';
import { matchVolume } from './match-volume.ts';

const OLD = { ...EXPORT, slot: 'pvc-old', nqn: 'pvc-old', hasOwnNqn: false };
const EXPORTS = [EXPORT, OLD];

describe('matchVolume', () => {
  it.each<[string, string, Record<string, string>, string | undefined]>([
    ['its NQN', 'other-handle', { nqn: 'nqn.test:pvc-a' }, 'pvc-a'],
    ['its slot, when it names no NQN', 'pvc-a', {}, 'pvc-a'],
    ['its slot, when the backend has no NQNs of its own', 'pvc-old', { nqn: 'nqn.test:pvc-old' }, 'pvc-old'],
    ['nothing, when the slot carries another NQN', 'pvc-a', { nqn: 'nqn.test:other' }, undefined],
    ['nothing, when it is not exported', 'pvc-z', {}, undefined],
  ])('finds %s', (_, volumeHandle, volumeAttributes, slot) => {
    expect(matchVolume({ volumeHandle, volumeAttributes, singleWriter: true }, EXPORTS)?.slot).toBe(slot);
  });
});
