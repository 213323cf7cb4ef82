import assert from 'node:assert/strict';
import { FakeClock } from '@reattach/core/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHAOS_KINDS, ChaosScript, type ChaosStep } from './chaos-script.ts';
import { KubeSim } from './kube-sim.ts';
import { WatchReader } from './watch-reader.test-support.ts';

const bound = () => AbortSignal.timeout(60_000);
/** Predicates are the same function for every script, so steps can be compared. */
const steps = (seed: number) => new ChaosScript({ seed }).steps;

const drawn = (kinds = CHAOS_KINDS) =>
  new Set(new ChaosScript({ seed: 1, durationMs: 7_200_000, kinds }).steps.map(({ kind }) => kind));

/** A script of one step of the kind, drawn from as many seeds as it needs to fit. */
function oneStep(kind: ChaosStep['kind'], fits: (step: ChaosStep) => boolean = () => true): ChaosScript {
  for (let seed = 1; ; seed++) {
    const script = new ChaosScript({ seed, kinds: [kind], durationMs: 40_000, meanGapMs: 30_000 });
    const [first] = script.steps;
    if (script.steps.length === 1 && first && fits(first)) return script;
  }
}

describe('ChaosScript', () => {
  let clock: FakeClock;
  let sim: KubeSim;

  beforeEach(async () => {
    clock = new FakeClock();
    sim = await KubeSim.start({ clock });
    sim.addNode({ name: 'a' });
  });
  afterEach(async () => {
    await sim[Symbol.asyncDispose]();
    assert.equal(clock.pendingTimers, 0);
  });

  const list = () => fetch(`${sim.url}/api/v1/nodes`, { signal: bound() });

  it('gives the same steps for the same seed and others for another', () => {
    expect(steps(7)).toEqual(steps(7));
    expect(steps(7)).not.toEqual(steps(8));
  });

  it('gives steps in order that end in time, for any seed', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 3_600_000 }), (seed, durationMs) => {
        let lastMs = 0;
        for (const { atMs, untilMs } of new ChaosScript({ seed, durationMs }).steps) {
          assert.ok(atMs >= lastMs && untilMs >= atMs && untilMs <= durationMs);
          lastMs = atMs;
        }
      }),
    );
  });

  it('draws every kind, and only those that were given', () => {
    expect(drawn()).toEqual(new Set(CHAOS_KINDS));
    expect(drawn(['outage', 'slow'])).toEqual(new Set(['outage', 'slow']));
  });

  it.each([
    ['throttle', 429],
    ['errors', expect.any(Number)],
  ] as const)('%s lasts from its begin to its end', async (kind, status) => {
    const script = oneStep(kind);
    const { atMs = 0, untilMs = 0 } = script.steps[0] ?? {};
    await using run = script.play(sim);
    await clock.advance(atMs - 1);
    expect([(await list()).status, run.begun]).toEqual([200, []]);
    await clock.advance(1);
    expect((await list()).status).toEqual(status);
    expect((await list()).ok).toBe(false);
    await clock.advance(untilMs - atMs);
    expect([(await list()).status, run.begun]).toEqual([200, script.steps]);
  });

  it('refuses connections during an outage and accepts them after it', async () => {
    const script = oneStep('outage');
    const { atMs = 0, untilMs = 0 } = script.steps[0] ?? {};
    await using run = script.play(sim);
    await clock.advance(atMs);
    await expect(list()).rejects.toThrow(TypeError);
    await clock.advance(untilMs - atMs);
    await run[Symbol.asyncDispose]();
    expect((await list()).status).toBe(200);
  });

  it('breaks the watches that are open', async () => {
    const script = oneStep(
      'break-watches',
      (step) => step.kind === 'break-watches' && step.effect === 'expired',
    );
    await using _run = script.play(sim);
    await using watcher = await WatchReader.open(`${sim.url}/api/v1/nodes?watch=true`, bound());
    await clock.advance(40_000);
    expect((await watcher.rest()).map(({ type }) => type)).toEqual(['ADDED', 'ERROR']);
  });

  it('compacts', async () => {
    await using _run = oneStep('compact').play(sim);
    const { resourceVersion } = sim.store;
    await clock.advance(40_000);
    expect(sim.store.compactedTo).toBeGreaterThan(resourceVersion);
  });

  it('ends all trouble when it is disposed in the middle, and leaves no timer', async () => {
    const run = new ChaosScript({ seed: 3, meanGapMs: 1_000, longestMs: 60_000 }).play(sim);
    await clock.advance(60_000);
    expect(run.begun.length).toBeGreaterThan(20);
    await run[Symbol.asyncDispose]();
    assert.equal(clock.pendingTimers, 0);
    for (let round = 0; round < 20; round++) expect((await list()).status).toBe(200);
  });

  it('leaves no trouble behind once it is over', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      await using _run = new ChaosScript({ seed, meanGapMs: 5_000 }).play(sim);
      await clock.advance(600_000);
    }
    expect((await list()).status).toBe(200);
  });
});
