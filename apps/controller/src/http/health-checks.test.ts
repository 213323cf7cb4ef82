import type { CacheFreshness, LastPass } from '@reattach/core';
import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { Liveness, Readiness } from './health-checks.ts';

const lastPass = (startedAtMs: number): LastPass => ({
  reconcileId: 'r-1',
  reasons: new Set(['startup']),
  startedAtMs,
  durationMs: 1_000,
  result: 'ok',
  failures: 0,
});

function setUp() {
  const clock = new FakeClock();
  const state = {
    freshness: { synced: true, freshAsOfMs: clock.now(), detail: 'fresh' } as CacheFreshness,
    connected: true,
    lastPass: lastPass(clock.now()) as LastPass | undefined,
    isLeader: true,
    holder: 'reattach-1' as string | undefined,
    isRunning: true,
  };
  const backend = {
    name: 'backend-a',
    health: () => ({ connected: state.connected, detail: 'SSH says so' }),
  };
  const readiness = new Readiness({
    caches: { freshness: () => state.freshness },
    backends: [backend],
    reconciler: state,
    policy: { maxCacheAgeMs: 120_000 },
    clock,
    elector: state,
  });
  const failing = () =>
    readiness
      .report()
      .checks.filter(({ ok }) => !ok)
      .map(({ name, why }) => `${name}: ${why}`);
  return { clock, state, readiness, failing };
}

describe('Readiness', () => {
  it('is ready when caches are fresh, the backend is connected and the startup pass is done', () => {
    const { readiness } = setUp();
    expect(readiness.report().ok).toBe(true);
  });

  it('says which cache is not synced', () => {
    const { state, failing } = setUp();
    state.freshness = { synced: false, freshAsOfMs: 0, detail: 'pods: not synced' };
    expect(failing()).toEqual(['cluster-cache: pods: not synced']);
  });

  it('is not ready on a cache older than decisions may rest on', async () => {
    const { clock, failing } = setUp();
    await clock.advance(120_000);
    expect(failing()).toEqual([]);
    await clock.advance(1);
    expect(failing()).toEqual(['cluster-cache: fresh']);
  });

  it('is not ready while a backend is not connected', () => {
    const { state, failing } = setUp();
    state.connected = false;
    expect(failing()).toEqual(['storage-backend backend-a: SSH says so']);
  });

  it('waits for the startup pass of a leader', () => {
    const { state, failing } = setUp();
    state.lastPass = undefined;
    expect(failing()).toEqual(['startup-pass: The startup pass has not ended']);
  });

  it('is ready as a standby that knows the leader, and not without one', () => {
    const { state, failing } = setUp();
    state.lastPass = undefined;
    state.isLeader = false;
    expect(failing()).toEqual([]);
    state.holder = undefined;
    expect(failing()).toEqual(['startup-pass: Waiting for leadership; the leader is not known']);
  });

  it('is not ready from the moment it stops', () => {
    const { readiness, failing } = setUp();
    readiness.stop();
    expect(failing()).toEqual(['running: Stopping']);
  });
});

describe('Liveness', () => {
  it('holds while a pass has ended within two intervals, of at least two minutes in all', async () => {
    const { clock, state } = setUp();
    const live = new Liveness({ reconciler: state, clock, intervalMs: 300_000 });
    expect(live.report().ok).toBe(true);
    await clock.advance(601_000);
    expect(live.report().ok).toBe(true);
    await clock.advance(1);
    expect(live.report().ok).toBe(false);
    const short = new Liveness({ reconciler: state, clock, intervalMs: 10_000 });
    state.lastPass = lastPass(clock.now() - 1_000);
    expect(short.report().ok).toBe(true);
    await clock.advance(120_000);
    expect(short.report().ok).toBe(true);
    await clock.advance(1);
    expect(short.report().ok).toBe(false);
  });

  it('does not count against a standby, nor against a new leader before its first pass could have ended', async () => {
    const { clock, state } = setUp();
    state.isRunning = false;
    const live = new Liveness({ reconciler: state, clock, intervalMs: 60_000 });
    await clock.advance(3_600_000);
    expect(live.report().ok).toBe(true);
    state.isRunning = true;
    expect(live.report().ok).toBe(true);
    await clock.advance(120_001);
    expect(live.report().ok).toBe(false);
  });
});
