import { describe, expect, it } from 'vitest';
import { SimulatedProcess } from './simulated-process.ts';
import { SimulationClock } from './simulation-clock.ts';

function started(): { clock: SimulationClock; process: SimulatedProcess; fired: number[] } {
  const clock = new SimulationClock(0);
  const process = new SimulatedProcess(clock);
  const fired: number[] = [];
  for (const delayMs of [10, 20, 30]) process.clock.after(delayMs, () => fired.push(clock.now()));
  return { clock, process, fired };
}

describe('SimulatedProcess', () => {
  it('delivers what became due during a pause when it goes on', async () => {
    const { clock, process, fired } = started();
    await clock.runUntil(15);
    process.pause();
    await clock.runUntil(25);
    expect(fired).toEqual([10]);
    process.resume();
    await clock.runUntil(40);
    expect(fired).toEqual([10, 25, 30]);
    expect(process.pendingTimers).toBe(0);
  });

  it('never runs again once it was killed', async () => {
    const { clock, process, fired } = started();
    process.pause();
    await clock.runUntil(15);
    process.kill();
    process.resume();
    await clock.runUntil(40);
    expect(fired).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('steps its wall clock without moving a timer', async () => {
    const { clock, process, fired } = started();
    process.stepClock(-3_600_000);
    expect(process.clock.now()).toBe(-3_600_000);
    await clock.runUntil(10);
    expect(fired).toEqual([10]);
  });
});
