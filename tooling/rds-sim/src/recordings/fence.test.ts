import { eventOf, HOSTS, readRecording, writesLanded } from '@reattach/recordings';
import { describe, expect, it } from 'vitest';
import { atOf, expectAlike, recorded, SAMPLING_MS, TIMER_MS, timeOf } from './compare.ts';
import { Lab } from './lab.ts';
import { type RowSample, rowsNow, simulatedRows, statesOf, stepsOf } from './queue-steps.ts';

describe('a fence, next to the kernel', () => {
  it('D: a fence holds, its queues close; un-fenced without a reboot, the host is back within a reconnect', async () => {
    const recording = readRecording('D');
    const atMs = timeOf('D', 'fence');
    const unfencedMs = eventOf(recording, 'unfence').atMs - atMs;
    const kernel = recorded('D', 'a', atMs, unfencedMs);
    using lab = new Lab({ writeServiceMs: 20 });
    const a = lab.host('a', 'vol2');
    await lab.write(a, 'vol2', 30, 12_000);
    a.write('vol2');
    lab.fence('a');
    const landedBefore = lab.device.oracle.totalWrites;
    const simulated = await simulatedRows(lab.device, lab.clock, HOSTS.a, unfencedMs);
    for (const samples of [simulated, kernel]) {
      for (const steps of stepsOf(samples)) {
        expect(statesOf(steps)).toEqual(['ESTABLISHED', 'CLOSE', 'gone']);
        expect(atOf(steps, 'CLOSE')).toBeGreaterThan(4_900);
        expect(atOf(steps, 'CLOSE')).toBeLessThan(2 * TIMER_MS + SAMPLING_MS);
      }
    }
    expect(lab.device.oracle.totalWrites - landedBefore).toBeLessThanOrEqual(1);
    const late = writesLanded(recording, 'nullb1').filter((write) => write.atMs > atMs + 500);
    expect(late.filter((write) => write.atMs < atMs + unfencedMs)).toEqual([]);
    lab.unfence();
    await lab.clock.advance(8_100);
    expect(rowsNow(lab.device, lab.clock, HOSTS.a)).toHaveLength(2);
    expect(recorded('D', 'a', atMs + unfencedMs, 8_100).at(-1)?.rows.length).toBeGreaterThan(0);
  });

  it('D2: dirty pages of a fenced host overwrite the new writer after an un-fence, not after a power cycle', async () => {
    for (const [hasRebooted, overwrites] of [
      [false, 8],
      [true, 0],
    ] as const) {
      using lab = new Lab();
      const a = lab.host('a', 'vol1');
      const b = lab.host('b', 'vol1');
      a.mount('vol1');
      lab.fence('a');
      for (let block = 0; block < 8; block++) a.write('vol1', 4096, block);
      await lab.clock.advance(25_000);
      b.mount('vol1');
      for (let block = 0; block < 8; block++) b.write('vol1', 4096, block);
      if (hasRebooted) {
        a.boot();
        a.connect('vol1');
      }
      lab.unfence();
      await lab.clock.advance(25_000);
      expect(a.connected('vol1')).toBe(true);
      expect(lab.device.oracle.overwrites).toBe(overwrites);
    }
    const contents = readRecording('D2').events.filter(({ text }) => text.includes('b sees R blocks'));
    expect(contents.at(-1)?.text).toContain('0..1023 tag=STALE');
  });

  it.each([
    ['T', 15_000],
    ['T2', 45_000],
  ] as const)(
    '%s: accepted writes of a disk of %i ms land late; the entry tells it only while it is there',
    async (name, diskMs) => {
      const recording = readRecording(name);
      const atMs = timeOf(name, 'fence');
      const kernel = recorded(name, 'b', atMs, 60_000);
      using lab = new Lab({ writeServiceMs: diskMs });
      const b = lab.host('b', 'vol3');
      await lab.clock.advance(6_000);
      for (let i = 0; i < 4; i++) b.write('vol3');
      await lab.clock.advance(1_500);
      await lab.alignKeepAlive('b', kernel);
      lab.fence('b');
      const startMs = lab.clock.now();
      let landedMs: number | undefined;
      const counters = new Set<string>();
      const volume = lab.device.volume('vol3');
      const simulated: RowSample[] = [];
      while (lab.clock.now() - startMs < 60_000) {
        const [sample] = await simulatedRows(lab.device, lab.clock, HOSTS.b, 100);
        const sinceMs = lab.clock.now() - startMs;
        if (sample) simulated.push({ ...sample, atMs: sinceMs });
        if (lab.device.oracle.totalWrites === 4) landedMs ??= sinceMs;
        else counters.add(`${volume?.writeOps} done, ${volume?.inFlightOps} in flight`);
      }
      expect([...counters]).toEqual(['0 done, 0 in flight']); // they stand still until the writes land
      const [admin, io] = stepsOf(kernel);
      const [simulatedAdmin, simulatedIo] = stepsOf(simulated);
      expectAlike(simulatedAdmin, admin, 2 * SAMPLING_MS);
      const isSampledToTheEnd = statesOf(io).includes('gone');
      expectAlike(simulatedIo?.slice(0, isSampledToTheEnd ? undefined : io?.length), io, 3 * SAMPLING_MS);
      const [landed] = writesLanded(recording, 'nullb1').filter((write) => write.atMs > atMs);
      expect(Math.abs((landedMs ?? 0) - ((landed?.atMs ?? 0) - atMs))).toBeLessThanOrEqual(SAMPLING_MS);
    },
  );

  it.each([
    ['S2-15s-fence', 15_000],
    ['S2-15s-power', 15_000],
    ['S2-45s-fence', 45_000],
  ] as const)('%s: the socket of the queue leaves when the writes land', async (name, diskMs) => {
    const isFence = name.endsWith('fence');
    const recording = readRecording(name);
    const atMs = timeOf(name, isFence ? 'fence' : 'power-off');
    using lab = new Lab({ writeServiceMs: diskMs });
    const b = lab.host('b', 'vol3');
    await lab.clock.advance(3_000);
    for (let i = 0; i < 4; i++) b.write('vol3');
    await lab.clock.advance(1_000);
    if (isFence) lab.fence('b');
    else b.powerOff();
    const startMs = lab.clock.now();
    for (const { atMs: readMs, sockets, writes } of recording.socketReadings) {
      await lab.clock.advance(readMs - atMs + SAMPLING_MS - (lab.clock.now() - startMs));
      const states = lab.device.target.sockets.map(({ state }) =>
        state === 'established' ? 'ESTAB' : 'FIN-WAIT-1',
      );
      expect([states, lab.device.oracle.totalWrites]).toEqual([sockets.map(({ state }) => state), writes]);
    }
  });
});
