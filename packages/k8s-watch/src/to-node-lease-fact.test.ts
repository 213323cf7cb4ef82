import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { toNodeLeaseFact } from './to-node-lease-fact.ts';

const lease = (renewTime?: string) => ({
  metadata: { name: 'node-a', namespace: 'kube-node-lease', uid: 'u' },
  spec: { ...(renewTime !== undefined && { renewTime }) },
});

describe('toNodeLeaseFact', () => {
  it('observes a renewTime when it is first seen, by our clock', async () => {
    const clock = new FakeClock(1_000);
    const project = toNodeLeaseFact(clock);
    const first = project(lease('2026-01-01T00:00:00.000000Z'), undefined);
    expect(first).toEqual({
      nodeName: 'node-a',
      uid: 'u',
      renewTime: '2026-01-01T00:00:00.000000Z',
      observedAtMs: 1_000,
    });
    await clock.advance(500);
    expect(project(lease('2026-01-01T00:00:00.000000Z'), first)).toBe(first);
    expect(project(lease('2026-01-01T00:00:10.000000Z'), first)).toMatchObject({ observedAtMs: 1_500 });
  });

  it('takes a Lease that was never renewed, and nothing else', () => {
    const project = toNodeLeaseFact(new FakeClock(1_000));
    expect(project(lease(), undefined)).toEqual({ nodeName: 'node-a', uid: 'u', observedAtMs: 1_000 });
    expect(project({}, undefined)).toBeUndefined();
  });
});
