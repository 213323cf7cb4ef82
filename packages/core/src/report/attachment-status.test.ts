import { describe, expect, it } from 'vitest';
import { PassFixture } from '../../test/pass-fixture.ts';
import { nodeFact } from '../testing/fact-builders.ts';
import { type AttachmentStatus, statusesAfter } from './attachment-status.ts';

const UID = 'uid-of-va-pv-a-node-a';

async function next(f: PassFixture, before: ReadonlyMap<string, AttachmentStatus>) {
  await f.run();
  return statusesAfter(before, f.report);
}

describe('statusesAfter', () => {
  it('counts from the first pass that saw it so, and the hold through a change of its reason', async () => {
    const f = new PassFixture();
    const startMs = f.clock.now();
    f.backend.enforcement = { kind: 'not-enforced', detail: 'no rule' };
    const first = await next(f, new Map());
    expect(first.get(UID)).toMatchObject({
      state: 'fence-failed',
      detectedAtMs: startMs,
      heldSinceMs: startMs,
    });
    await f.clock.advance(2_000);
    const second = await next(f, first);
    expect(second.get(UID)).toEqual({ ...first.get(UID), decision: expect.anything() });
    expect(second.get(UID)?.sinceMs).toBe(startMs);
    await f.clock.advance(2_000);
    f.backend.reachable = false;
    const third = await next(f, second);
    expect(third.get(UID)).toMatchObject({
      state: 'storage-unknown',
      hold: { isPrevented: false, cause: 'storage-unknown backend-unreachable' },
      detectedAtMs: startMs,
      heldSinceMs: startMs,
      sinceMs: startMs + 4_000,
    });
  });

  it('has no hold to time while a step is in progress, and forgets what is no longer stale', async () => {
    const f = new PassFixture();
    const first = await next(f, new Map());
    expect(first.get(UID)).toMatchObject({ state: 'releasing' });
    expect(first.get(UID)).not.toHaveProperty('heldSinceMs');
    f.setNode(nodeFact({ bootId: 'next' }));
    expect((await next(f, first)).size).toBe(0);
  });

  it('lets stand what kept a step from being done until it has been tried again', async () => {
    const f = PassFixture.unfenced();
    f.backend.beforeChange = () => {
      throw new Error('refused');
    };
    const first = await next(f, new Map());
    const hold = { reason: 'fence-failed', why: 'refused', isPrevented: true };
    expect(first.get(UID)).toMatchObject({ state: 'fence-failed', hold });
    const untried = statusesAfter(first, { ...f.report, nowMs: f.clock.now() + 1, effects: [] });
    expect(untried.get(UID)).toEqual(first.get(UID));
    f.backend.beforeChange = () => undefined;
    expect((await next(f, untried)).get(UID)).not.toHaveProperty('hold');
  });
});
