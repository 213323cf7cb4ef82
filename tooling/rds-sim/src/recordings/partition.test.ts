import { eventOf, HOSTS, readRecording } from '@reattach/recordings';
import { describe, expect, it } from 'vitest';
import { atOf, expectHostAlike, recorded, SAMPLING_MS, TIMER_MS, timeOf } from './compare.ts';
import { Lab } from './lab.ts';
import { type RowSample, rowsNow, type Step, simulatedRows, statesOf, stepsOf } from './queue-steps.ts';

/** Queues in the order in which they were first seen. */
function byTime(samples: readonly RowSample[]): readonly (readonly Step[])[] {
  return stepsOf(samples).toSorted((x, y) => (x[0]?.atMs ?? 0) - (y[0]?.atMs ?? 0));
}

describe('a one-way cut, next to the kernel', () => {
  it('C: what the host sends is lost: its queues close, no row of it is left until it is healed', async () => {
    const recording = readRecording('C');
    const atMs = timeOf('C', 'cut');
    const healedMs = eventOf(recording, 'healed').atMs - atMs;
    const kernel = recorded('C', 'c', atMs, healedMs - 1_000);
    using lab = new Lab({ writeServiceMs: 5 });
    const c = lab.host('c', 'vol1');
    await lab.write(c, 'vol1', 30, 12_000);
    c.partition('to-target');
    expectHostAlike(await simulatedRows(lab.device, lab.clock, HOSTS.c, healedMs - 1_000), kernel, TIMER_MS);
    c.heal();
    await lab.clock.advance(8_100);
    expect(rowsNow(lab.device, lab.clock, HOSTS.c).map(({ state }) => state)).toEqual([
      'ESTABLISHED',
      'ESTABLISHED',
    ]);
    expect(atOf(stepsOf(recorded('C', 'c', atMs + healedMs, 8_100))[0], 'ESTABLISHED')).toBeLessThan(8_100);
  });

  it('C: what is sent to the host is lost: close, refreshed by its own tear-down, then SYN_RECV for a while', async () => {
    const recording = readRecording('C');
    const atMs = timeOf('C', 'cut');
    const untilMs = eventOf(recording, 'healed').atMs - atMs - 2_000;
    const kernel = recorded('C', 'd', atMs, untilMs);
    using lab = new Lab();
    const d = lab.host('d', 'vol1');
    await lab.clock.advance(12_000);
    await lab.alignKeepAlive('d', kernel);
    d.partition('to-host');
    const simulated = await simulatedRows(lab.device, lab.clock, HOSTS.d, untilMs);
    const [simulatedSteps, kernelSteps] = [byTime(simulated), byTime(kernel)];
    expect(simulatedSteps.map(statesOf)).toEqual(kernelSteps.map(statesOf));
    for (const [index, steps] of kernelSteps.entries()) {
      for (const { state, atMs: kernelMs } of steps.filter((step) => step.state !== 'ESTABLISHED')) {
        expect(Math.abs(atOf(simulatedSteps[index], state) - kernelMs)).toBeLessThanOrEqual(
          1.5 * SAMPLING_MS,
        );
      }
    }
  });
});
