import { eventOf, HOSTS, readRecording } from '@reattach/recordings';
import { describe, expect, it } from 'vitest';
import { recorded } from './compare.ts';
import { Lab } from './lab.ts';
import { longestSilenceSeconds, portsOf, type RowSample, simulatedRows } from './queue-steps.ts';

/** How many packets of one side the row of `port` counted. */
function packets(samples: readonly RowSample[], port: number, side: 'hostPackets' | 'targetPackets'): number {
  const counts = samples
    .flatMap(({ rows }) => rows.filter((row) => row.port === port))
    .map((row) => row[side]);
  return (counts.at(-1) ?? 0) - (counts[0] ?? 0);
}

describe('an idle host, next to the kernel', () => {
  it('A: an idle host refreshes its admin queue alone, with as many packets', async () => {
    const { samples } = readRecording('A');
    const kernel = recorded('A', 'b', 50_000, 60_000);
    using lab = new Lab();
    lab.host('b', 'vol2');
    await lab.clock.advance(10_000);
    const simulated = await simulatedRows(lab.device, lab.clock, HOSTS.b, 60_000);
    const [admin = 0, io = 0] = portsOf(kernel);
    const [simulatedAdmin = 0, simulatedIo = 0] = portsOf(simulated);
    const difference =
      longestSilenceSeconds(simulated, simulatedAdmin) - longestSilenceSeconds(kernel, admin);
    expect(Math.abs(difference)).toBeLessThanOrEqual(1); // rows count whole seconds
    expect(longestSilenceSeconds(kernel, io)).toBeGreaterThan(60);
    expect(longestSilenceSeconds(simulated, simulatedIo)).toBeGreaterThan(60);
    const seconds = ((samples.at(-1)?.atMs ?? 0) - 50_000) / 1_000;
    expect(seconds).toBeGreaterThan(55);
    for (const side of ['hostPackets', 'targetPackets'] as const) {
      const ratio = packets(simulated, simulatedAdmin, side) / packets(kernel, admin, side);
      expect(Math.abs(ratio - 1)).toBeLessThan(0.1);
    }
  });

  it.each([
    ['b', 5],
    ['c', 60],
    ['d', 120],
  ] as const)('A3: the longest silence of %s, with a keep-alive time-out of %i s', async (name, seconds) => {
    const kernel = recorded('A3', name, eventOf(readRecording('A3'), 'note', 0).atMs + 3_000, 84_000);
    using lab = new Lab();
    lab.host(name, 'vol2', { keepAliveTimeoutMs: seconds * 1_000 });
    const simulated = await simulatedRows(lab.device, lab.clock, HOSTS[name], 84_000);
    const [admin = 0] = portsOf(kernel);
    const [simulatedAdmin = 0] = portsOf(simulated);
    const [expected, actual] = [
      longestSilenceSeconds(kernel, admin),
      longestSilenceSeconds(simulated, simulatedAdmin),
    ];
    expect(Math.abs(actual - expected)).toBeLessThanOrEqual(2);
    expect(actual).toBeGreaterThanOrEqual(seconds / 2 - 2);
  });
});
