import { describe, expect, it } from 'vitest';
import { FakeClock, settle } from './fake-clock.ts';

describe('FakeClock', () => {
  it('starts at the given time, by default at 2026-01-01T00:00:00Z, and moves only when advanced', async () => {
    expect(new Date(new FakeClock().now()).toISOString()).toBe('2026-01-01T00:00:00.000Z');
    const clock = new FakeClock(1_000);
    await settle();
    expect(clock.now()).toBe(1_000);
    await clock.advance(500);
    expect(clock.now()).toBe(1_500);
  });

  it('fires timers in order of their times, equal ones in order of their making, each at its own time', async () => {
    const clock = new FakeClock(0);
    const fired: [string, number][] = [];
    for (const [name, delayMs] of [
      ['c', 30],
      ['a', 10],
      ['b', 10],
      ['later', 31],
    ] as const) {
      clock.after(delayMs, () => void fired.push([name, clock.now()]));
    }
    await clock.advance(30);
    expect(fired).toEqual([
      ['a', 10],
      ['b', 10],
      ['c', 30],
    ]);
    expect(clock.pendingTimers).toBe(1);
  });

  it('never fires synchronously, and takes a delay below 0 for 0', async () => {
    const clock = new FakeClock(0);
    const fired: number[] = [];
    clock.after(-5, () => void fired.push(clock.now()));
    expect(fired).toEqual([]);
    await clock.advance(0);
    expect(fired).toEqual([0]);
  });

  it('never fires a disposed timer', async () => {
    const clock = new FakeClock(0);
    let fired = false;
    const timer = clock.after(10, () => (fired = true));
    timer[Symbol.dispose]();
    timer[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(20);
    expect(fired).toBe(false);
  });

  it('fires timers that a timer, or a promise after it, makes within the time it is advanced by', async () => {
    const clock = new FakeClock(0);
    const fired: number[] = [];
    clock.after(10, () => {
      void Promise.resolve().then(() => clock.after(10, () => void fired.push(clock.now())));
    });
    await clock.advance(25);
    expect([fired, clock.now()]).toEqual([[20], 25]);
  });
});

describe('settle', () => {
  it('lets a chain of promises end', async () => {
    let ended = false;
    void (async () => {
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      ended = true;
    })();
    await settle();
    expect(ended).toBe(true);
  });
});
