import { getEventListeners } from 'node:events';
import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { IdleWatchdog } from './idle-watchdog.ts';

const LIMITS = { firstMs: 100, idleMs: 1_000 };

describe('IdleWatchdog', () => {
  it('aborts when there is no first sign of life', async () => {
    const clock = new FakeClock();
    using watchdog = new IdleWatchdog(clock, LIMITS, new AbortController().signal);
    await clock.advance(99);
    expect(watchdog.expired).toBe(false);
    await clock.advance(1);
    expect([watchdog.expired, watchdog.signal.aborted]).toEqual([true, true]);
  });

  it('aborts when life stops', async () => {
    const clock = new FakeClock();
    using watchdog = new IdleWatchdog(clock, LIMITS, new AbortController().signal);
    for (let i = 0; i < 50; i++) {
      await clock.advance(90);
      watchdog.touch();
    }
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(999);
    expect(watchdog.expired).toBe(false);
    await clock.advance(1);
    expect(watchdog.expired).toBe(true);
  });

  it('aborts with its parent, without having expired', () => {
    const parent = new AbortController();
    using watchdog = new IdleWatchdog(new FakeClock(), LIMITS, parent.signal);
    parent.abort(new Error('stop'));
    expect([watchdog.expired, watchdog.signal.reason]).toEqual([false, new Error('stop')]);
    using late = new IdleWatchdog(new FakeClock(), LIMITS, parent.signal);
    expect(late.signal.aborted).toBe(true);
  });

  it('leaves neither timer nor listener', () => {
    const clock = new FakeClock();
    const parent = new AbortController();
    new IdleWatchdog(clock, LIMITS, parent.signal)[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(0);
    expect(getEventListeners(parent.signal, 'abort')).toEqual([]);
  });
});
