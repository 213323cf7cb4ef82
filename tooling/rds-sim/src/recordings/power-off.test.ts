import { eventOf, HOSTS, readRecording } from '@reattach/recordings';
import { describe, expect, it } from 'vitest';
import { expectHostAlike, recorded, SAMPLING_MS, TIMER_MS, timeOf } from './compare.ts';
import { Lab } from './lab.ts';
import { portsOf, type RowSample, simulatedRows, statesOf, stepsOf } from './queue-steps.ts';

/** The states of all queues, in no order. */
function allStates(samples: readonly RowSample[]): readonly string[] {
  return stepsOf(samples)
    .map((steps) => statesOf(steps).join(' '))
    .toSorted((x, y) => x.localeCompare(y));
}

describe('a power-off, next to the kernel', () => {
  it('B: power-off of an idle host', async () => {
    const atMs = timeOf('B', 'power-off');
    const kernel = recorded('B', 'a', atMs, 25_000);
    using lab = new Lab();
    const a = lab.host('a', 'vol1');
    await lab.clock.advance(25_000);
    await lab.alignKeepAlive('a', kernel);
    a.powerOff();
    const simulated = await simulatedRows(lab.device, lab.clock, HOSTS.a, 25_000);
    expectHostAlike(simulated, kernel, 2 * SAMPLING_MS);
    expect(allStates(kernel)).toEqual(['ESTABLISHED CLOSE gone', 'ESTABLISHED CLOSE gone']);
  });

  it('B: power-off of a host that writes: answers are repeated, then both queues close', async () => {
    const atMs = timeOf('B', 'power-off');
    const kernel = recorded('B', 'b', atMs, 25_000);
    using lab = new Lab({ writeServiceMs: 50 });
    const b = lab.host('b', 'vol2');
    await lab.write(b, 'vol2', 85, 25_000);
    b.powerOff();
    const simulated = await simulatedRows(lab.device, lab.clock, HOSTS.b, 25_000);
    expectHostAlike(simulated, kernel, TIMER_MS);
    for (const samples of [simulated, kernel]) {
      const io = portsOf(samples).at(-1);
      const busy = samples.filter(({ atMs: at }) => at > 500 && at < 4_500).flatMap(({ rows }) => rows);
      const remaining = busy.filter(({ port }) => port === io).map((row) => row.remainingSeconds);
      expect([Math.min(...remaining) > 290, Math.max(...remaining) <= 300]).toEqual([true, true]);
    }
  });

  it('C: a power cycle: old rows close beside the new ones', async () => {
    const recording = readRecording('C');
    const atMs = timeOf('C', 'power-cycle');
    const backMs = eventOf(recording, 'host-back').atMs - atMs;
    const kernel = recorded('C', 'a', atMs, 30_000);
    using lab = new Lab();
    const a = lab.host('a', 'vol1');
    await lab.clock.advance(25_000);
    await lab.alignKeepAlive('a', kernel);
    a.powerOff();
    const before = await simulatedRows(lab.device, lab.clock, HOSTS.a, backMs);
    a.boot();
    a.connect('vol1');
    const after = await simulatedRows(lab.device, lab.clock, HOSTS.a, 30_000 - backMs);
    const simulated = [...before, ...after.map((sample) => ({ ...sample, atMs: sample.atMs + backMs }))];
    expect(allStates(simulated)).toEqual(allStates(kernel));
  });

  it('S: after a power-off the sockets of the host are gone with the keep-alive timer', async () => {
    const recording = readRecording('S');
    const atMs = timeOf('S', 'power-off');
    const gone = recording.socketReadings.find(
      (reading) => reading.atMs > atMs && reading.sockets.every(({ hostAddress }) => hostAddress !== HOSTS.a),
    );
    using lab = new Lab();
    const a = lab.host('a', 'vol1', { ioQueues: 2 });
    lab.host('b', 'vol2');
    await lab.clock.advance(15_000);
    a.powerOff();
    const startMs = lab.clock.now();
    while (lab.device.target.sockets.length > 2) await lab.clock.advance(100);
    expect(Math.abs(lab.clock.now() - startMs - ((gone?.atMs ?? 0) - atMs))).toBeLessThanOrEqual(
      2 * SAMPLING_MS,
    );
    expect(lab.device.target.sockets.every(({ flow }) => flow.hostAddress === HOSTS.b)).toBe(true);
  });
});
