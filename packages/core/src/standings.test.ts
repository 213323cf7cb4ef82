import { describe, expect, it } from 'vitest';
import { PassFixture } from '../test/pass-fixture.ts';
import { heldIn } from './held.ts';
import { type Standing, standingsAfter } from './standings.ts';
import { nodeFact } from './testing/fact-builders.ts';

const UID = 'uid-of-va-pv-a-node-a';

async function next(f: PassFixture, before: ReadonlyMap<string, Standing>) {
  await f.run();
  const held = new Map(heldIn(f.report).map(({ decision, reason }) => [decision.attachment.uid, reason]));
  return standingsAfter(before, f.report, held);
}

describe('standingsAfter', () => {
  it('counts from the first pass that saw it so, and the hold through a change of its reason', async () => {
    const f = new PassFixture();
    const startMs = f.clock.now();
    f.box.setLive('node-a');
    const first = await next(f, new Map());
    expect(first.get(UID)).toMatchObject({
      state: 'node-still-writing',
      detectedAtMs: startMs,
      heldSinceMs: startMs,
    });
    await f.clock.advance(2_000);
    const second = await next(f, first);
    expect(second.get(UID)).toEqual({ ...first.get(UID), decision: expect.anything() });
    await f.clock.advance(2_000);
    f.box.reachable = false;
    const third = await next(f, second);
    expect(third.get(UID)).toMatchObject({
      state: 'storage-unknown',
      detectedAtMs: startMs,
      heldSinceMs: startMs,
    });
  });

  it('has no hold to time while a step is under way, and forgets what is no longer stale', async () => {
    const f = new PassFixture();
    const first = await next(f, new Map());
    expect(first.get(UID)).toMatchObject({ state: 'releasing' });
    expect(first.get(UID)).not.toHaveProperty('heldSinceMs');
    f.setNode(nodeFact());
    expect((await next(f, first)).size).toBe(0);
  });
});
