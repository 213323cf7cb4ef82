import assert from 'node:assert/strict';
import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { nodeManifest } from '../manifests.ts';
import { ObjectStore } from '../object-store.ts';
import { ControlLoop } from './control-loop.ts';

function started(delayMs: number, nextInMs?: number) {
  const clock = new FakeClock();
  const store = new ObjectStore(clock, 100, 'cluster-1');
  const passes: number[] = [];
  const pass = () => {
    passes.push(clock.now());
    return nextInMs === undefined ? undefined : clock.now() + nextInMs;
  };
  const loop = new ControlLoop({ store, clock, kinds: ['Node'], delayMs, pass });
  const startMs = clock.now();
  return {
    clock,
    loop,
    addNode: (name: string) => store.create(nodeManifest({ name }, clock.now())),
    addClaim: () => store.create({ kind: 'PersistentVolumeClaim', metadata: { name: 'c' } }),
    passesAtMs: () => passes.map((atMs) => atMs - startMs),
  };
}

describe('ControlLoop', () => {
  it('passes once at the start and once after a burst of changes, of its kinds only', async () => {
    const { clock, loop, addNode, addClaim, passesAtMs } = started(100);
    using _loop = loop;
    await clock.advance(1_000);
    addNode('a');
    await clock.advance(60);
    addNode('b');
    expect(passesAtMs()).toEqual([100]);
    await clock.advance(1_000);
    addClaim();
    await clock.advance(1_000);
    expect(passesAtMs()).toEqual([100, 1_100]);
  });

  it('passes when the last pass said so, or before for a change', async () => {
    const { clock, loop, addNode, passesAtMs } = started(0, 1_000);
    using _loop = loop;
    await clock.advance(1_500);
    addNode('a');
    await clock.advance(2_000);
    expect(passesAtMs()).toEqual([0, 1_000, 1_500, 2_500, 3_500]);
  });

  it('leaves no timer and never passes again once it is disposed', async () => {
    const { clock, loop, addNode, passesAtMs } = started(0, 1_000);
    await clock.advance(0);
    loop[Symbol.dispose]();
    addNode('a');
    loop.wake();
    assert.equal(clock.pendingTimers, 0);
    await clock.advance(5_000);
    expect(passesAtMs()).toEqual([0]);
  });

  it('refuses a pass that wants to be run again at once', async () => {
    const { clock, loop } = started(0, 0);
    using _loop = loop;
    await expect(clock.advance(0)).rejects.toThrow('Expected the next pass later than');
  });
});
