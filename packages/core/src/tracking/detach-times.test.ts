import { describe, expect, it } from 'vitest';
import { DetachTimes } from './detach-times.ts';

const GRACE_MS = 30_000;
const T0 = 1_767_225_600_000;

function setUp(origin: 'reported' | 'observed' = 'reported') {
  const times = new DetachTimes(GRACE_MS);
  times.record('vol', 'node-a', { atMs: T0, origin });
  return times;
}

describe('DetachTimes', () => {
  it('knows the last detach of a volume until the grace is over', () => {
    const times = setUp();
    times.record('vol', 'node-b', { atMs: T0 + 5_000, origin: 'reported' });
    expect(times.lastMs('vol', T0 + 5_000)).toBe(T0 + 5_000);
    expect(times.lastMs('vol', T0 + 5_000 + GRACE_MS - 1)).toBe(T0 + 5_000);
    expect(times.lastMs('vol', T0 + 5_000 + GRACE_MS)).toBeUndefined();
    expect(times.lastMs('other', T0)).toBeUndefined();
  });

  it('judges the detach of each node by its own time and origin', () => {
    const times = setUp();
    times.record('vol', 'node-b', { atMs: T0 + 20_000, origin: 'observed' });
    expect(times.wasReported('vol', 'node-a', T0 + GRACE_MS - 1)).toBe(true);
    expect(times.wasReported('vol', 'node-a', T0 + GRACE_MS)).toBe(false);
    expect(times.wasReported('vol', 'node-b', T0 + 20_000)).toBe(false);
    expect(times.wasReported('vol', 'node-c', T0)).toBe(false);
  });

  it.each([
    ['reported', T0 - 60_000, 'keeps'],
    ['reported', T0 - 1_000, 'keeps'],
    ['reported', T0 - 999, 'forgets'],
    ['reported', T0 + 5_000, 'forgets'],
    ['observed', T0 - 60_000, 'forgets'],
  ] as const)('%s, VolumeAttachment created at %d -> %s', (origin, createdAtMs, what) => {
    const times = setUp(origin);
    times.forgetIfAttachedAnew('vol', 'node-a', createdAtMs);
    expect(times.lastMs('vol', T0)).toBe(what === 'keeps' ? T0 : undefined);
  });

  it('forgets one node and keeps the other', () => {
    const times = setUp();
    times.record('vol', 'node-b', { atMs: T0, origin: 'reported' });
    times.forget('vol', 'node-a');
    expect(times.wasReported('vol', 'node-a', T0)).toBe(false);
    expect(times.wasReported('vol', 'node-b', T0)).toBe(true);
    times.forget('vol', 'node-b');
    expect(times.size).toBe(0);
  });

  it('frees volumes whose grace is over at the next detach, and no others', () => {
    const times = setUp();
    times.record('vol-2', 'node-a', { atMs: T0 + 10_000, origin: 'reported' });
    times.record('vol', 'node-b', { atMs: T0 + 20_000, origin: 'reported' });
    expect(times.size).toBe(2);
    times.record('vol-3', 'node-a', { atMs: T0 + 10_000 + GRACE_MS, origin: 'reported' });
    expect(times.size).toBe(2);
    expect(times.lastMs('vol', T0 + 40_000)).toBe(T0 + 20_000);
  });
});
