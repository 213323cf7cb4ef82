import { describe, expect, it } from 'vitest';
import { SimulationClock } from './simulation-clock.ts';

describe('SimulationClock', () => {
  it('fires timers by due time, and those of one moment in the order they were set', async () => {
    const clock = new SimulationClock(0);
    const fired: string[] = [];
    clock.after(20, () => fired.push('b'));
    clock.after(10, () => fired.push('a'));
    clock.after(20, () => fired.push('c'));
    await clock.runUntil(19);
    expect(fired).toEqual(['a']);
    await clock.runUntil(20);
    expect(fired).toEqual(['a', 'b', 'c']);
    expect(clock.now()).toBe(20);
  });

  it('forgets a timer that is disposed', async () => {
    const clock = new SimulationClock(0);
    const fired: number[] = [];
    const timers = [5, 1, 3, 2, 4].map((delayMs) => clock.after(delayMs, () => fired.push(delayMs)));
    timers[2]?.[Symbol.dispose]();
    timers[2]?.[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(4);
    await clock.runUntil(10);
    expect(fired).toEqual([1, 2, 4, 5]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets promises settle before time moves on', async () => {
    const clock = new SimulationClock(0);
    const seen: string[] = [];
    const chain = async () => {
      for (let turn = 0; turn < 200; turn++) await Promise.resolve();
      seen.push(`chain at ${clock.now()}`);
    };
    clock.afterWaking(10, () => void chain());
    clock.after(11, () => seen.push('timer at 11'));
    await clock.runUntil(20);
    expect(seen).toEqual(['chain at 10', 'timer at 11']);
  });
});
